// Asks again when the server is overloaded, after the time it names: npx tsx retry.ts "What is this?" [host:port]
import { randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { loadSync } from "google-proto-files";
import { connect, question } from "./contract.ts";

const root = loadSync("google/rpc/error_details.proto").loadSync("node_modules/google-proto-files/google/rpc/status.proto");
const [status, retryInfo] = ["google.rpc.Status", "google.rpc.RetryInfo"].map((name) => root.lookupType(name)) as any[];

function retryMillis(error: any): number | undefined {
  const [bytes] = error.metadata?.get("grpc-status-details-bin") ?? [];
  const detail = bytes && status.decode(bytes).details.find((each: any) => each.type_url.endsWith("RetryInfo"));
  const delay = detail && retryInfo.decode(detail.value).retryDelay;
  return delay && 1000 * Number(delay.seconds) + delay.nanos / 1e6;
}

const [text, target] = process.argv.slice(2);
const client = connect(target);
const request = { ...question(text), idempotency_key: randomUUID() }; // asking twice answers once
for (let reply; !reply; ) {
  try {
    for await (const event of client.Generate(request)) reply = event.finished ?? reply;
    console.log(reply.text);
  } catch (error) {
    const millis = retryMillis(error);
    if (millis === undefined) throw error;
    await sleep(millis);
  }
}
client.close();
