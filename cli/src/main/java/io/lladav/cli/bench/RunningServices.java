package io.lladav.cli.bench;

import java.util.List;

/// The services of a running cluster, each in a process of its own on this machine.
///
/// @param gateway host and port of the gateway
/// @param processes of all services
/// @param startSeconds how long it took until all were serving
public record RunningServices(String gateway, List<ServiceProcess> processes, double startSeconds) {
  public RunningServices {
    processes = List.copyOf(processes);
  }

  /// One service.
  ///
  /// @param service which: `vision`, `projector`, `denoiser` or `gateway`
  /// @param processId of its process
  /// @param metricsPort where its metrics are, on the loopback address
  public record ServiceProcess(String service, long processId, int metricsPort) {}

  ServiceProcess denoiser() {
    return processes.stream().filter(process -> process.service.equals("denoiser")).findFirst()
        .orElseThrow();
  }
}
