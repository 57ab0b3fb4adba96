// Waits so long and no longer; what was committed until then is final: npx tsx deadline.ts "Tell me a story." 0.3 [host:port]
import { status } from "@grpc/grpc-js";
import { connect, question } from "./contract.ts";

const [text, seconds, target] = process.argv.slice(2);
const client = connect(target);
const committed: string[] = [];
try {
  for await (const event of client.Generate(question(text, 256), { deadline: Date.now() + 1000 * Number(seconds) })) {
    for (const token of event.step?.committed ?? []) committed[token.position] = token.text;
  }
} catch (error: any) {
  console.log("ended with", status[error.code]);
}
console.log(Object.keys(committed).length, "tokens:", committed.join(""));
client.close();
