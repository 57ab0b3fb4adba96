"""What the three adapters share. The only module here that knows Triton: its module exists in the server's process for
Python models alone, so it is imported where it is used."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

import torch

from .checkpoint import Checkpoint
from .errors import Code, LoadError, Refusal
from .operations import Tensors
from .scheduler import Reply, Statistics
from .settings import Settings
from .work import Floats

Network = TypeVar("Network")
_log = logging.getLogger("lladav.models")


@contextmanager
def loading() -> Iterator[None]:
    """Turns what makes loading fail into the server's own exception, whose text is one sentence."""
    import triton_python_backend_utils as pb_utils

    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    try:
        yield
    except LoadError as e:
        raise pb_utils.TritonModelException(str(e)) from None
    except (MemoryError, torch.OutOfMemoryError) as e:
        _log.exception("loading failed")
        raise pb_utils.TritonModelException(
            "no memory left for the weights (LLADAV_PRECISION: bf16 and fp16 take half of what fp32 takes)"
        ) from e


def load(
    args: dict[str, str], build: Callable[[Checkpoint, Settings], Network]
) -> tuple[Checkpoint, Settings, Network]:
    """Opens the checkpoint that the environment names and builds a network of it. Fails with LoadError."""
    settings = Settings.read(instance_device=int(args["model_instance_device_id"] or 0))
    checkpoint = Checkpoint(settings.checkpoint)
    # While the weights are loaded: hashing reads the same bytes.
    checkpoint.start_digest()
    network = build(checkpoint, settings)
    checkpoint.digest()
    return checkpoint, settings, network


def answered(run: Callable[[], list[Floats | Refusal]], requests: list[Any]) -> list[Floats | Refusal]:
    """Runs a network for requests; if it fails, each is refused. An exception that reached the server would be
    passed on with paths and line numbers."""
    try:
        return run()
    except Exception as e:
        _log.exception("requests %s failed", " ".join(request.request_id() or "-" for request in requests))
        refusal = Refusal(Code.INTERNAL, "the network failed; the model's log says why")
        if isinstance(e, (MemoryError, torch.OutOfMemoryError)):
            refusal = Refusal(Code.OVERLOADED, "no memory left for the tiles; try later or elsewhere")
        return [refusal] * len(requests)


def wanted(request: Any, output: str) -> bool:
    """Returns whether a request asks for an output by name."""
    return output in request.requested_output_names()


def refused(refusal: Refusal) -> Any:
    """Returns the server's response that is an error."""
    import triton_python_backend_utils as pb_utils

    return pb_utils.InferenceResponse(error=_error(refusal))


class DecoupledReply(Reply):
    """The way back to a request of a decoupled model."""

    def __init__(self, sender: Any, request: str) -> None:
        super().__init__(request)
        self._sender = sender

    def is_cancelled(self) -> bool:
        return bool(self._sender.is_cancelled())

    def send(self, outputs: Tensors | None, refusal: Refusal | None, final: bool) -> None:
        import triton_python_backend_utils as pb_utils

        flags = pb_utils.TRITONSERVER_RESPONSE_COMPLETE_FINAL if final else 0
        if refusal is not None:
            self._sender.send(pb_utils.InferenceResponse(error=_error(refusal)), flags=flags)
        elif outputs is not None:
            tensors = [pb_utils.Tensor(name, value) for name, value in outputs.items()]
            self._sender.send(pb_utils.InferenceResponse(tensors), flags=flags)
        else:
            self._sender.send(flags=flags)


class Gauges:
    """Shows the scheduler's statistics among the server's metrics."""

    def __init__(self, model: str) -> None:
        import triton_python_backend_utils as pb_utils

        def metric(name: str, description: str, kind: int) -> Any:
            family = pb_utils.MetricFamily(name=f"lladav_llada_{name}", description=description, kind=kind)
            # The metrics of a family end with it.
            self._families.append(family)
            return family.Metric(labels={"model": model})

        self._families: list[Any] = []
        gauge, counter = pb_utils.MetricFamily.GAUGE, pb_utils.MetricFamily.COUNTER
        self._now = {
            "sessions": metric("sessions", "Sessions that are open", gauge),
            "session_bytes": metric("session_bytes", "Memory of the open sessions", gauge),
            "waiting": metric("waiting_steps", "Steps that wait for a forward", gauge),
        }
        self._counted = {
            "steps": metric("steps_total", "Steps run", counter),
            "forwards": metric("forwards_total", "Forwards run; each is of one or more steps", counter),
        }
        self._shown = Statistics()

    def show(self, statistics: Statistics) -> None:
        """Takes over the numbers."""
        for name, metric in self._now.items():
            if getattr(statistics, name) != getattr(self._shown, name):
                metric.set(getattr(statistics, name))
        for name, metric in self._counted.items():
            if grown := getattr(statistics, name) - getattr(self._shown, name):
                metric.increment(grown)
        self._shown = statistics


def _error(refusal: Refusal) -> Any:
    import triton_python_backend_utils as pb_utils

    codes = {Code.INVALID: "INVALID_ARG", Code.NOT_FOUND: "NOT_FOUND", Code.OVERLOADED: "UNAVAILABLE",
             Code.OUT_OF_ORDER: "INVALID_ARG", Code.CANCELLED: "CANCELLED", Code.INTERNAL: "INTERNAL"}  # fmt: skip
    return pb_utils.TritonError(str(refusal), getattr(pb_utils.TritonError, codes[refusal.code]))
