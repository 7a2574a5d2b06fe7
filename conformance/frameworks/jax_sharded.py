"""Losses in JAX whose classes are spread over devices, all of them the host's.

``shard_map`` with ``pmax`` and ``psum`` as people write it by hand, and ``jax.nn`` under a sharding that the
compiler carries out. XLA makes as many devices of a CPU as a flag says, so that what several devices compute
is judged on one. Where the classes are no multiple of the devices they are padded with −∞, as vocabularies
are.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from xent_conformance.devices.variants import JAX_SHARDED
from xent_conformance.frameworks.interface import Glance, Implementation, NotOffered
from xent_conformance.frameworks.jax import Jax

AXIS = "classes"


def _mesh(jax: Any) -> Any:
    auto = (jax.sharding.AxisType.Auto,)
    return jax.make_mesh((len(jax.devices()),), (AXIS,), axis_types=auto)


def _padded(jax: Any, x: Any) -> Any:
    more = -x.shape[-1] % len(jax.devices())
    return jax.numpy.pad(x, ((0, 0), (0, more)), constant_values=float("-inf"))


def _of_shard(jax: Any, x: Any, y: Any) -> Any:
    """The loss of each row, of which a device has some classes."""
    numpy, lax = jax.numpy, jax.lax
    n = x.shape[1]
    top = lax.pmax(lax.stop_gradient(x).max(axis=1), AXIS)
    shifted = x - top[:, None]
    total = lax.psum(numpy.exp(shifted).sum(axis=1), AXIS)
    place = y - lax.axis_index(AXIS) * n
    mine = (place >= 0) & (place < n)
    here = numpy.take_along_axis(shifted, numpy.where(mine, place, 0)[:, None], axis=1)[:, 0]
    return numpy.log(total) - lax.psum(numpy.where(mine, here, 0), AXIS)


def _shard_map(jax: Any, x: Any, y: Any) -> Any:
    spec = jax.sharding.PartitionSpec
    of = jax.shard_map(
        lambda x, y: _of_shard(jax, x, y),
        mesh=_mesh(jax),
        in_specs=(spec(None, AXIS), spec()),
        out_specs=spec(),
    )
    y = y.astype("int64")  # a number of classes may be none of the labels' own type
    # a label that is no class, or one of the padding, gives NaN in value and gradient
    is_class = jax.numpy.where((y >= 0) & (y < x.shape[1]), 1.0, float("nan"))
    return of(_padded(jax, x), y) * is_class.astype(x.dtype)


def _spread(jax: Any, x: Any) -> Any:
    """The logits under a sharding of their classes."""
    over = jax.sharding.NamedSharding(_mesh(jax), jax.sharding.PartitionSpec(None, AXIS))
    return jax.lax.with_sharding_constraint(_padded(jax, x), over)


class JaxSharded(Jax):
    """Needs ``jax``; the number of devices is a setting."""

    name = "jax-sharded"
    distribution = "jax"
    modes: ClassVar = {"jit": "quick"}
    compiling: ClassVar = frozenset(modes)
    restricted: ClassVar[Mapping[str, frozenset[str]]] = {}
    glances: ClassVar[Mapping[str, Glance]] = {}
    in_eight_bits: ClassVar = frozenset()
    settings_only: ClassVar = frozenset({"cpu"})
    variants: ClassVar = JAX_SHARDED
    sparse = False
    layouts: ClassVar[frozenset[str]] = frozenset()  # a shard is a copy
    states: ClassVar[Mapping[str, frozenset[str]]] = {"jit": frozenset({"other_between"})}
    implementations: ClassVar[Sequence[Implementation]] = (
        Implementation(
            "jax.shard_map:pmax+psum",
            "sparse_softmax_cross_entropy",
            "composed",
            _shard_map,
            note="composed here as libraries of language models write it",
        ),
        Implementation(
            "jax.nn.log_softmax:sharded",
            "log_softmax",
            "fused",
            lambda jax, x: jax.nn.log_softmax(_spread(jax, x))[:, : x.shape[1]],
        ),
        Implementation(
            "jax.nn.softmax:sharded",
            "softmax",
            "fused",
            lambda jax, x: jax.nn.softmax(_spread(jax, x))[:, : x.shape[1]],
        ),
    )
    not_offered: ClassVar[Sequence[NotOffered]] = ()

    def devices(self) -> Sequence[str]:
        return ["cpu"]

    def _device(self, name: str) -> Any:
        """Every device holds what is given, before it is spread."""
        return self._jax.sharding.NamedSharding(_mesh(self._jax), self._jax.sharding.PartitionSpec())
