// Stops a reply after three steps; the server stops within one more: npx tsx cancel.ts "Tell me a story." [host:port]
import { status } from "@grpc/grpc-js";
import { connect, question } from "./contract.ts";

const [text, target] = process.argv.slice(2);
const client = connect(target);
const call = client.Generate(question(text, 256));
try {
  for await (const event of call) {
    if (event.step?.number === 3) call.cancel();
  }
} catch (error: any) {
  console.log("ended with", status[error.code]);
}
client.close();
