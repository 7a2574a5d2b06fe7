"""What a notebook shows of a check: the verdict, the worst findings, each opening to its numbers.

No script, no network, no colour but what the page around it has: it is read in the light and in the dark.
"""

from __future__ import annotations

import html
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from xent_conformance.reports.text.wording import harmless, worst

if TYPE_CHECKING:
    from xent_conformance.kernel.result import Checked

SHOWN = 10
"""Findings that are shown; the report has all."""

_STYLE = """
.xc{color:inherit;max-width:70rem}
.xc table{border-collapse:collapse;color:inherit;background:none}
.xc th,.xc td{color:inherit;background:none;text-align:left;vertical-align:top;padding:.25em .8em .25em 0;
border-bottom:1px solid;border-color:color-mix(in srgb,currentColor 25%,transparent)}
.xc tr{background:none!important}
.xc summary{cursor:pointer}
.xc td:not(:last-child){white-space:nowrap}
.xc code{color:inherit;background:none;word-break:break-all}
.xc pre{color:inherit;background:none;margin:.3em 0 0;white-space:pre-wrap;overflow-wrap:anywhere}
.xc .s{overflow-x:auto}
"""


def shown(checked: Checked) -> str:
    """The check as HTML that can stand in any page."""
    found = checked.findings
    mark = "✓ conforms" if checked.conforms else "✗ does not conform"
    head = "".join(f'<th scope="col">{n}</th>' for n in ("clause", "output", "symptom", "rows", "worst"))
    rows = "".join(_row(checked, row) for row in found.head(SHOWN).iter_rows(named=True))
    table = f'<div class="s"><table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table></div>'
    more = found.height - SHOWN
    rest = f"<p>{more} more findings; <code>.report(path)</code> shows all</p>" if more > 0 else ""
    waivers = "".join(
        f"<li>waiver {_text(w.name)}: {_text(w.state.value)}; {_text(w.message)}</li>"
        for w in checked.waivers
    )
    return (
        f'<div class="xc"><style>{_STYLE}</style>'
        f"<p><strong>{_text(checked.what)}: {mark}</strong><br>{_text(checked.summary)}</p>"
        + (table + rest if rows else "")
        + (f"<ul>{waivers}</ul>" if waivers else "")
        + "</div>"
    )


def _row(checked: Checked, row: Mapping[str, Any]) -> str:
    cells = (
        f"{row['clause']} {row['level']}",
        row["output"],
        row["symptom"],
        f"{row['count']} of {row['asked']}",
    )
    told = "\n".join(_lines(checked, row))
    whole = f"<details><summary><code>{_text(row['case'])}</code></summary><pre>{_text(told)}</pre></details>"
    return f"<tr>{''.join(f'<td>{_text(cell)}</td>' for cell in cells)}<td>{whole}</td></tr>"


def _lines(checked: Checked, row: Mapping[str, Any]) -> Iterator[str]:
    clause = checked.run.clause(row["clause"])
    yield f"{clause['title']}: {clause['text']}"
    yield from (f"{name:<8} {words}" for name, words in worst(row))
    if formula := checked.run.causes.get(row["cause"] or ""):
        yield f"what gives this: {formula['hypothesis']}: {formula['sentence']}"
    yield f'print(checked.explain("{row["case"]}"))'


def _text(words: str) -> str:
    """Foreign text as text: nothing in it is markup, nothing in it moves a cursor."""
    return "\n".join(html.escape(harmless(line)) for line in words.split("\n"))
