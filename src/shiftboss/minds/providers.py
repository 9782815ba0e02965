"""Settings -> a model of the client: which provider, at which address, with which key."""

from collections.abc import Callable
from typing import Any

from pydantic_ai.models import Model, infer_model
from pydantic_ai.providers import Provider, infer_provider, infer_provider_class

from shiftboss.settings_table import Brain

COMPATIBLE = frozenset({"openai", "openai-chat", "compatible", "local"})
"""Providers that, with an address of their own, are asked through chat completions: the one door all servers have."""

LOCAL = frozenset({"ollama", "lmstudio", "litellm"})
NO_KEY = "none"
"""What local servers get, which ask for no key."""


def model_for(brain: Brain, name: str, key: str | None) -> Model:
    """The model `PROVIDER:NAME`.

    Raises:
        Exception: whatever the client says of unknown providers, missing keys or missing packages.
    """
    provider, _, model = name.partition(":")
    if brain.base_url and provider in COMPATIBLE:
        from pydantic_ai.models.openai import OpenAIChatModel
        from pydantic_ai.providers.openai_compatible import OpenAICompatibleProvider

        place = OpenAICompatibleProvider(name="compatible", base_url=brain.base_url, api_key=key or NO_KEY)
        return OpenAIChatModel(model, provider=place)
    return infer_model(name, provider_factory=_factory(brain, key))


def _factory(brain: Brain, key: str | None) -> Callable[[str], Provider[Any]]:
    given = {name: value for name, value in (("base_url", brain.base_url), ("api_key", key)) if value}

    def make(provider: str) -> Provider[Any]:
        return infer_provider_class(provider)(**given) if given else infer_provider(provider)

    return make


def output_for(brain: Brain, name: str) -> str:
    """How the shape is asked for, where nobody said: of servers near by with a schema, of hosted models as a tool."""
    if brain.output != "auto":
        return brain.output
    provider = name.partition(":")[0]
    near = provider in LOCAL or (bool(brain.base_url) and provider in COMPATIBLE)
    return "native" if near else "tool"
