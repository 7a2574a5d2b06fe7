"""What a shell may complete: the names there are. No framework is imported, and no run file read.

Each is asked for names that begin as what is typed; a shell shows nothing of an error, so there is none.
"""

from __future__ import annotations

from collections.abc import Iterable


def _beginning(names: Iterable[str], incomplete: str) -> list[str]:
    return [name for name in dict.fromkeys(names) if name.startswith(incomplete)]


def frameworks(incomplete: str) -> list[str]:
    """Frameworks that come with the suite."""
    from xent_conformance.discovery.framework import FRAMEWORKS

    return _beginning(FRAMEWORKS, incomplete)


def implementations(incomplete: str) -> list[str]:
    """Implementations of every framework."""
    from xent_conformance.discovery.framework import FRAMEWORKS

    declared = (f.declaration for f in FRAMEWORKS.values())
    return _beginning((i.name for d in declared for i in d.implementations), incomplete)


def operators(incomplete: str) -> list[str]:
    """Operators."""
    from xent_conformance.reference.operators import OPERATORS

    return _beginning(OPERATORS, incomplete)


def dtypes(incomplete: str) -> list[str]:
    """Formats of logits."""
    from xent_conformance.reference.formats import FORMATS

    return _beginning(FORMATS, incomplete)


def families(incomplete: str) -> list[str]:
    """Families of the corpus."""
    from xent_conformance.cases.corpus import families as every

    return _beginning(every(), incomplete)


def profiles(incomplete: str) -> list[str]:
    """Profiles."""
    from xent_conformance.cases.profile import Profile

    return _beginning(map(str, Profile), incomplete)


def devices(incomplete: str) -> list[str]:
    """Kinds of devices, and their variants: which are there is known when a framework has started."""
    from xent_conformance.discovery.framework import FRAMEWORKS
    from xent_conformance.discovery.seats import variants_of

    variants = variants_of(FRAMEWORKS.values())
    return _beginning([*sorted({"cpu", *(v.partition("[")[0] for v in variants)}), *variants], incomplete)
