"""All protocols by name."""

from __future__ import annotations

from sdk.errors import UnknownChoice
from training.protocols import adaptpose_3dhp, human36m, mpi_inf_3dhp, mpi_inf_3dhp_valid, pw3d, pw3d_h36m14, ski_pose
from training.protocols.protocol import Protocol

PROTOCOLS: dict[str, Protocol] = {
    protocol.name: protocol
    for protocol in (
        mpi_inf_3dhp.PROTOCOL,
        mpi_inf_3dhp.IN_CAMERA,
        mpi_inf_3dhp_valid.PROTOCOL,
        mpi_inf_3dhp_valid.VALID_IN_CAMERA,
        adaptpose_3dhp.PROTOCOL,
        human36m.PROTOCOL,
        pw3d.PROTOCOL,
        pw3d_h36m14.PROTOCOL,
        ski_pose.PROTOCOL,
    )
}


class UnknownProtocol(UnknownChoice):
    """A protocol that is not known."""

    kind = "protocol"


def find_protocol(name: str) -> Protocol:
    """The protocol of this name.

    Raises:
        UnknownProtocol: there is none; lists the known names.
    """
    if name not in PROTOCOLS:
        raise UnknownProtocol(name, PROTOCOLS)
    return PROTOCOLS[name]
