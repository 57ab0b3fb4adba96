"""The three models in a real Triton, on the CPU, asked through its protocol.

Starts `run-local.sh` (its first run downloads 2.8 GB) over a golden checkpoint. Needs requirements-server-tests.txt:
`python -m pytest deploy/triton/server_tests`.
"""

from __future__ import annotations

import json
import os
import queue
import secrets
import signal
import socket
import subprocess
import threading
import time
import urllib.request
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import grpc as rpc
import numpy as np
import pytest
import tritonclient.grpc as grpc
from tritonclient.grpc import service_pb2
from tritonclient.grpc.service_pb2_grpc import GRPCInferenceServiceStub

TRITON = Path(__file__).resolve().parents[1]
CONFORMANCE = TRITON.parents[1] / "conformance"
CHECKPOINT = "tiny-b"
HIDDEN, WIDTH, PATCHES, SIZE, TOKENS = 96, 40, 16, 56, 737
TYPES = {
    "OP": "BYTES", "SESSION": "BYTES", "BATCH": "BYTES", "NUMBER": "INT64", "EMBEDDINGS": "FP32", "BIAS_VALUES": "FP32",
    "TEMPERATURE": "FP64", "UNIFORMS": "FP64", "GUIDANCE": "FP64",
}  # fmt: skip
NUMPY = {"BYTES": np.object_, "INT64": np.int64, "INT32": np.int32, "FP32": np.float32, "FP64": np.float64}


def in_shared_memory_of(megabytes: int) -> list[str]:
    """Returns the beginning of a command that runs the rest of it with a `/dev/shm` of its own."""
    mount = f'mount -t tmpfs -o size={megabytes}m tmpfs /dev/shm && exec "$@"'
    return ["unshare", "--mount", "sh", "-c", mount, "sh"]


class Server:
    """A running Triton. `before`: the beginning of the command that starts it."""

    def __init__(self, log: Path, before: Sequence[str] = (), **environment: str) -> None:
        with socket.socket() as a, socket.socket() as b:
            a.bind(("127.0.0.1", 0))
            b.bind(("127.0.0.1", 0))
            ports = a.getsockname()[1], b.getsockname()[1]
        self.url, self.metrics_port, self.log = f"127.0.0.1:{ports[0]}", ports[1], log
        self.prefix = f"lladav-test-{secrets.token_hex(4)}-"
        command = [*before, str(TRITON / "run-local.sh"), str(TRITON / "models"), "--log-verbose=0"]
        command += [f"--load-model={model}" for model in ("siglip2", "projector", "llada")]
        command += [f"--backend-config=python,shm-region-prefix-name={self.prefix}"]
        own = {
            "LLADAV_CHECKPOINT": str(CONFORMANCE / "checkpoints" / CHECKPOINT), "LLADAV_DEVICE": "cpu",
            "OMP_NUM_THREADS": "1", "TRITON_GRPC_PORT": str(ports[0]), "TRITON_METRICS_PORT": str(ports[1]),
        }  # fmt: skip
        with log.open("w") as out:
            self.process = subprocess.Popen(
                command, env=os.environ | own | environment, stdout=out, stderr=subprocess.STDOUT
            )

    def wait_until_ready(self) -> None:
        client = grpc.InferenceServerClient(self.url)
        for _ in range(1200):
            if self.process.poll() is not None:
                raise AssertionError(self.log.read_text()[-3000:])
            try:
                if client.is_server_ready():
                    return
            except grpc.InferenceServerException:
                pass
            time.sleep(0.1)
        raise AssertionError("not ready: " + self.log.read_text()[-3000:])

    def stop(self) -> int:
        self.process.send_signal(signal.SIGTERM)
        try:
            code = self.process.wait(20)
        finally:
            self.process.kill()
            for region in Path("/dev/shm").glob(f"{self.prefix}*"):
                region.unlink()
        return code


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    server = Server(tmp_path_factory.mktemp("triton") / "server.log")
    try:
        server.wait_until_ready()
        yield server
    finally:
        server.stop()


def tensors(values: dict[str, Any]) -> list[grpc.InferInput]:
    inputs = []
    for name, value in values.items():
        datatype = TYPES.get(name, "FP32" if name in ("PIXELS", "FEATURES") else "INT32")
        array = np.asarray([value] if np.ndim(value) == 0 else value, NUMPY[datatype])
        inputs.append(grpc.InferInput(name, list(array.shape), datatype).set_data_from_numpy(array))
    return inputs


class Stream:
    """A ModelStreamInfer call, and what came back on it by request id."""

    def __init__(self, server: Server) -> None:
        self._channel = rpc.insecure_channel(server.url)
        self._requests: queue.SimpleQueue[Any] = queue.SimpleQueue()
        self._call = GRPCInferenceServiceStub(self._channel).ModelStreamInfer(iter(self._requests.get, None))
        self._kept: dict[str, list[Any]] = {}
        self._sent = 0
        self.session = secrets.token_hex(16)

    def send(self, op: str, **values: Any) -> str:
        self._sent += 1
        request = service_pb2.ModelInferRequest(model_name="llada", id=str(self._sent))
        # Without it a message that is nothing but the last one would not be passed on.
        request.parameters["triton_enable_empty_final_response"].bool_param = True
        for tensor in tensors({"OP": op, "SESSION": self.session} | values):
            request.inputs.append(tensor._get_tensor())
            request.raw_input_contents.append(tensor._get_content())
        self._requests.put(request)
        return request.id

    def receive(self, request: str) -> Any:
        """Returns outputs and whether they are final, or the text of an error."""
        waited = threading.Timer(20, self._call.cancel)
        waited.start()
        try:
            while not self._kept.get(request):
                message = next(self._call)
                self._kept.setdefault(message.infer_response.id, []).append(self._read(message))
        finally:
            waited.cancel()
        return self._kept[request].pop(0)

    @staticmethod
    def _read(message: Any) -> Any:
        if message.error_message:
            return message.error_message
        result = grpc.InferResult(message.infer_response)
        outputs = {output.name: result.as_numpy(output.name) for output in message.infer_response.outputs}
        return outputs, message.infer_response.parameters["triton_final_response"].bool_param

    def ask(self, op: str, **values: Any) -> Any:
        return self.receive(self.send(op, **values))

    def close(self, cancel: bool = False) -> None:
        if cancel:
            self._call.cancel()
        self._requests.put(None)
        self._channel.close()


@pytest.fixture
def stream(server: Server) -> Iterator[Stream]:
    stream = Stream(server)
    yield stream
    stream.close(cancel=True)


def golden_case(name: str) -> dict[str, Any]:
    return json.loads((CONFORMANCE / "cases" / CHECKPOINT / f"{name}.json").read_text())


@pytest.mark.parametrize("name", ["text-16-16-16", "prefix-4", "cfg-1.5"])
def test_replays_a_golden_case(stream: Stream, name: str) -> None:
    golden = golden_case(name)
    request, expect = golden["request"], golden["expect"]
    prompt, generated = expect["input_ids"], request["gen_length"]
    guidance = request.get("cfg_scale") or 0
    length = len(prompt) + generated
    opened = stream.send("open", LAYOUT=[len(prompt), generated, 0, int(guidance > 0), int("cache" in request), 0])
    assert stream.receive(opened) == ({}, False)
    assert stream.ask("write", POSITION=0, IDS=prompt) == ({}, True)
    written: dict[str, Any] = {}
    rows = [rows for _, rows, count in expect["forward_shapes"] for _ in range(count)]
    for number, (step, computed) in enumerate(zip(expect["steps"], rows), 1):
        order = np.argsort(step["positions"])
        positions = np.asarray(step["positions"])[order] + len(prompt)
        outputs, final = stream.ask(
            "step", NUMBER=number, POSITIONS=positions, GUIDANCE=guidance,
            FORWARD=[0, 0, 0] if computed == length else [1, length - computed, length], **written,
        )  # fmt: skip
        assert final
        ids = np.asarray(step["ids"])[order]
        np.testing.assert_array_equal(outputs["CANDIDATES"], ids)
        np.testing.assert_allclose(outputs["CONFIDENCES"], np.asarray(step["confidences"])[order], rtol=1e-4)
        assert outputs["FORWARD_MICROS"][0] > 0 and outputs["BATCH_STEPS"][0] == 1
        written = {"WRITE_POSITIONS": positions, "WRITE_IDS": ids}
    assert stream.ask("close") == ({}, True)
    assert stream.receive(opened) == ({}, True)


def test_pictures_become_embeddings_that_can_be_written(server: Server, stream: Stream) -> None:
    client = grpc.InferenceServerClient(server.url)
    pixels = np.random.default_rng(1).uniform(-1, 1, (3, 3, SIZE, SIZE)).astype(np.float32)
    wanted = [grpc.InferRequestedOutput(name) for name in ("FEATURES", "IDENTITY")]
    encoded = client.infer("siglip2", tensors({"PIXELS": pixels}), outputs=wanted)
    features = encoded.as_numpy("FEATURES")
    assert features.shape == (3, PATCHES, WIDTH)
    identity = json.loads(encoded.as_numpy("IDENTITY")[2, 0])
    assert (identity["imageSize"], identity["patches"], identity["width"]) == (SIZE, PATCHES, WIDTH)
    wanted = [grpc.InferRequestedOutput(name) for name in ("EMBEDDINGS", "IMAGE_NEWLINE", "IDENTITY")]
    projected = client.infer("projector", tensors({"FEATURES": features}), outputs=wanted)
    embeddings = projected.as_numpy("EMBEDDINGS")
    assert embeddings.shape == (3, PATCHES, HIDDEN)
    assert projected.as_numpy("IMAGE_NEWLINE").shape == (3, HIDDEN)
    described = json.loads(projected.as_numpy("IDENTITY")[0, 0])
    assert described == {key: identity[key] for key in ("checkpoint", "precision", "numerics", "device")} | {
        "inputWidth": WIDTH, "outputWidth": HIDDEN,
    }  # fmt: skip
    assert stream.ask("open", LAYOUT=[PATCHES, 4, 0, 0, 0, 0]) == ({}, False)
    assert stream.ask("write", POSITION=0, EMBEDDINGS=embeddings[0]) == ({}, True)
    outputs, _ = stream.ask("step", NUMBER=1, POSITIONS=[PATCHES])
    assert 0 <= outputs["CANDIDATES"][0] < TOKENS


def test_tiles_of_several_requests_share_a_run(server: Server) -> None:
    client = grpc.InferenceServerClient(server.url)
    random = np.random.default_rng(2)
    rows = [random.normal(size=(1, count, WIDTH)).astype(np.float32) for count in (1, 5, 16, 5, 3)]
    answers: queue.Queue[Any] = queue.Queue()
    for index, each in enumerate(rows):
        client.async_infer(
            "projector", tensors({"FEATURES": each}), lambda result, error, i=index: answers.put((i, result, error)),
            outputs=[grpc.InferRequestedOutput("EMBEDDINGS")],
        )  # fmt: skip
    for _ in rows:
        index, result, error = answers.get(timeout=20)
        assert error is None
        alone = client.infer(
            "projector", tensors({"FEATURES": rows[index]}), outputs=[grpc.InferRequestedOutput("EMBEDDINGS")]
        )
        np.testing.assert_allclose(result.as_numpy("EMBEDDINGS"), alone.as_numpy("EMBEDDINGS"), atol=1e-5)


@pytest.mark.parametrize(
    ("model", "values", "message"),
    [
        ("siglip2", {"PIXELS": np.zeros((1, 3, 28, 28))}, "INVALID: PIXELS: shape [3, 28, 28] (expected: [3, 56, 56])"),
        ("projector", {"FEATURES": np.zeros((1, 2, 7))}, "INVALID: FEATURES: shape [7] (expected: [40])"),
    ],
)
def test_wrong_shapes_are_refused(server: Server, model: str, values: dict[str, Any], message: str) -> None:
    with pytest.raises(grpc.InferenceServerException) as refused:
        grpc.InferenceServerClient(server.url).infer(model, tensors(values))
    assert message in refused.value.message()
    assert "INVALID_ARGUMENT" in refused.value.status()


def test_errors_leave_the_stream_usable(stream: Stream) -> None:
    assert stream.ask("step", NUMBER=1, POSITIONS=[3]).startswith("NOT_FOUND: SESSION: not open")
    assert stream.ask("nonsense") == ("INVALID: OP: nonsense (expected: describe, open, write, bias, step, close)")
    assert stream.ask("open", LAYOUT=[4, 4, 0, 0, 0, 0]) == ({}, False)
    assert stream.ask("write", POSITION=0, IDS=[TOKENS]) == f"INVALID: IDS: {TOKENS} (expected: 0..{TOKENS - 1})"
    assert stream.ask("step", NUMBER=3, POSITIONS=[5]) == "OUT_OF_ORDER: NUMBER: 3 (expected: 1, the next)"
    outputs, _ = stream.ask("step", NUMBER=1, POSITIONS=[5])
    repeated, _ = stream.ask("step", NUMBER=1, POSITIONS=[5])
    assert outputs["CANDIDATES"] == repeated["CANDIDATES"]


def test_describes_itself(stream: Stream) -> None:
    outputs, final = stream.ask("describe")
    assert final
    described = json.loads(outputs["IDENTITY"][0])
    assert described["precision"] == "fp32" and described["device"] == "cpu" and described["numerics"] == "1"
    assert (described["hiddenSize"], described["vocabularySize"], described["layers"]) == (HIDDEN, TOKENS, 2)
    assert described["sessionsMax"] == 64 and described["bytesMax"] > 0
    assert described["positionBytes"] == {
        "tables": 4 * 24 + 4, "embedding": 4 * 96, "keysAndValues": 2 * 4 * 2 * 48, "features": 2 * 4 * 2 * 96,
    }  # fmt: skip


def test_operations_may_be_sent_without_waiting(stream: Stream) -> None:
    sent = [stream.send("open", LAYOUT=[4, 40, 0, 0, 0, 0]), stream.send("write", POSITION=0, IDS=[1, 2, 3, 4])]
    sent += [stream.send("step", NUMBER=number, POSITIONS=[number + 4]) for number in range(1, 31)]
    for request in sent:
        assert not isinstance(stream.receive(request), str)


def test_sessions_share_forwards(server: Server) -> None:
    streams = [Stream(server) for _ in range(4)]
    for stream in streams:
        assert stream.ask("open", LAYOUT=[30, 8, 0, 0, 0, 0]) == ({}, False)
    together = 0
    for number in range(1, 6):
        sent = [
            stream.send("step", NUMBER=number, POSITIONS=[33], BATCH=f"b{number}", BATCH_SIZE=4) for stream in streams
        ]
        together += sum(int(s.receive(request)[0]["BATCH_STEPS"][0]) == 4 for s, request in zip(streams, sent))
    for stream in streams:
        stream.close(cancel=True)
    # 5 ms may be too short on a busy machine; without waiting none would be.
    assert together >= 12


def metric(server: Server, name: str) -> float:
    with urllib.request.urlopen(f"http://127.0.0.1:{server.metrics_port}/metrics") as page:
        for line in page.read().decode().splitlines():
            if line.startswith(name + "{"):
                return float(line.rsplit(" ", 1)[1])
    raise AssertionError(f"no metric {name}")


@pytest.mark.parametrize("how", ["cancel", "close"])
def test_a_session_ends_with_its_stream(server: Server, how: str) -> None:
    def sessions() -> float:
        return metric(server, "lladav_llada_sessions")

    stream = Stream(server)
    assert stream.ask("open", LAYOUT=[4, 4, 0, 0, 0, 0]) == ({}, False)
    wait_for(lambda: sessions() >= 1)
    if how == "cancel":
        stream.close(cancel=True)
    else:
        stream.ask("close")
        stream.close()
    wait_for(lambda: sessions() == 0)
    assert metric(server, "lladav_llada_session_bytes") == 0
    assert metric(server, "lladav_llada_forwards_total") > 0


def wait_for(condition: Any) -> None:
    for _ in range(100):
        if condition():
            return
        time.sleep(0.05)
    raise AssertionError("it did not happen within 5 seconds")


def test_a_broken_start_says_one_sentence(tmp_path: Path) -> None:
    server = Server(tmp_path / "server.log", LLADAV_PRECISION="fp64")
    try:
        assert server.process.wait(60) != 0
    finally:
        server.stop()
    log = server.log.read_text()
    assert "LLADAV_PRECISION: fp64 (expected: fp32, bf16, fp16)" in log
    assert "Traceback" not in log


@pytest.fixture
def may_mount(capsys: pytest.CaptureFixture[str]) -> None:
    try:
        asked = subprocess.run([*in_shared_memory_of(1), "true"], capture_output=True, text=True)
        refusal = asked.stderr.strip() if asked.returncode else ""
    except OSError as e:
        refusal = str(e)
    if refusal:
        with capsys.disabled():
            print(f"\nSkipped: a small /dev/shm, which takes the right to mount ({refusal})")
        pytest.skip(refusal)


@pytest.mark.usefixtures("may_mount")
def test_a_small_dev_shm_fails_large_requests_alone(tmp_path: Path) -> None:
    server = Server(tmp_path / "server.log", in_shared_memory_of(16))
    try:
        server.wait_until_ready()
        client = grpc.InferenceServerClient(server.url)
        rows = np.zeros((1, 100_000, WIDTH), np.float32)
        wanted = [grpc.InferRequestedOutput("EMBEDDINGS")]
        with pytest.raises(grpc.InferenceServerException) as failed:
            client.infer("projector", tensors({"FEATURES": rows}), outputs=wanted)
        assert "INTERNAL" in failed.value.status()
        # By these words clients tell it from other failures.
        assert "Failed to increase the shared memory pool size" in failed.value.message()
        small = client.infer("projector", tensors({"FEATURES": rows[:, :4]}), outputs=wanted)
        assert small.as_numpy("EMBEDDINGS").shape == (1, 4, HIDDEN)

        stream = Stream(server)
        assert stream.ask("open", LAYOUT=[50_000, 4, 0, 0, 0, 0]) == ({}, False)
        written = stream.ask("write", POSITION=0, EMBEDDINGS=np.zeros((50_000, HIDDEN)))
        assert written.startswith("Failed to increase the shared memory pool size")
        assert stream.ask("write", POSITION=0, IDS=[1, 2]) == ({}, True)
        stream.ask("close")
        stream.close()
    finally:
        code = server.stop()
    assert code == 0


@pytest.mark.usefixtures("may_mount")
def test_a_dev_shm_too_small_to_start_in_says_so(tmp_path: Path) -> None:
    server = Server(tmp_path / "server.log", in_shared_memory_of(1))
    try:
        assert server.process.wait(60) != 0
    finally:
        server.stop()
    assert "Each Python backend model instance requires at least 1 MB of shared memory" in server.log.read_text()


def test_ends_when_told_to(tmp_path: Path) -> None:
    server = Server(tmp_path / "server.log")
    try:
        server.wait_until_ready()
        stream = Stream(server)
        assert stream.ask("open", LAYOUT=[4, 4, 0, 0, 0, 0]) == ({}, False)
        stream.close(cancel=True)
    finally:
        code = server.stop()
    assert code == 0, server.log.read_text()[-2000:]
