"""The bundle: all that the nodes need to run a refined policy, in one directory, checked before it is believed."""

from refinery.bundle.fit import check_fit
from refinery.bundle.initial_states import InitialStates
from refinery.bundle.metadata import policy_metadata, with_metadata
from refinery.bundle.observation_statistics import ObservationStatistics
from refinery.bundle.policy import OnnxPolicy
from refinery.bundle.provider_choice import choose_provider
from refinery.bundle.reader import Bundle, load_bundle
from refinery.bundle.several import load_bundles
from refinery.bundle.writer import write_bundle

__all__ = [
    "Bundle",
    "InitialStates",
    "ObservationStatistics",
    "OnnxPolicy",
    "check_fit",
    "choose_provider",
    "load_bundle",
    "load_bundles",
    "policy_metadata",
    "with_metadata",
    "write_bundle",
]
