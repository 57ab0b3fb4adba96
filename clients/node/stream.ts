// Shows a reply as text that only grows: npx tsx stream.ts "Tell me a story." [host:port]
import { connect, question } from "./contract.ts";

const [text, target] = process.argv.slice(2);
const client = connect(target);
const request = { ...question(text), stream: { mode: "STREAM_MODE_BLOCK_APPEND" } };
for await (const event of client.Generate(request)) {
  if (event.appended) process.stdout.write(event.appended.text); // never taken back
  if (event.finished) console.log(`\n[${event.finished.finish_reason}]`);
}
client.close();
