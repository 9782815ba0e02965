"""Where spans of model calls go, if nobody has said so already (OpenTelemetry's own variables decide).

A program that brings its own tracer provider keeps it. Else, where OTEL_EXPORTER_OTLP_ENDPOINT names a collector, spans
are sent there; the rest is flushed when the process ends.
"""

import atexit
from collections.abc import Mapping

from opentelemetry import trace

from shiftboss.errors import BadInput
from shiftboss.model.diagnostic import Diagnostic

ENDPOINTS = ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT")


def send_spans(environ: Mapping[str, str]) -> None:
    """Send spans to the collector that the environment names; idempotent, and nothing where none is named.

    Raises:
        BadInput: one is named, and what sends spans is not installed.
    """
    named = any(environ.get(name) for name in ENDPOINTS)
    if not named or not isinstance(trace.get_tracer_provider(), trace.ProxyTracerProvider):
        return
    try:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
        from opentelemetry.sdk.resources import Resource
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import BatchSpanProcessor
    except ImportError as error:
        what = f"brain.telemetry is on, and what sends spans is not installed ({error.name})"
        remedy = "pip install 'shiftboss[telemetry]', or in a checkout: pip install '.[telemetry]'"
        raise BadInput([Diagnostic(place="settings", path="brain.telemetry", what=what, remedy=remedy)]) from error
    provider = TracerProvider(resource=Resource.create({"service.name": "shiftboss"}))
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    trace.set_tracer_provider(provider)
    atexit.register(provider.shutdown)
