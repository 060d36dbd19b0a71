"""Users: the user figures that this machine goes by - the user's own, what ships, or APNIC's."""

from fanous.config import data_folder
from fanous.model.weights import UserWeights
from fanous.refdata.weights import weights


def user_weights(country: str) -> UserWeights | None:
    """As they were when the process first asked; ``None`` = no figures of this country."""
    return weights(country, data_folder() / "refdata")
