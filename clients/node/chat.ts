// Holds a dialogue, a turn per line: printf 'My name is Ada.\nWhat is my name?\n' | npx tsx chat.ts [host:port]
import { createInterface } from "node:readline/promises";
import { connectToConversations } from "./contract.ts";

const client = connectToConversations(process.argv[2]);
const call = client.Chat();
const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]();

async function ask() {
  const { value, done } = await lines.next();
  if (done) call.end();
  else call.write({ turn: { parts: [{ text: value }] } });
}

call.write({ open: { create: { decoding: { gen_length: 32 } } } });
for await (const { turn, opened, reply, failed } of call) {
  if (opened) console.log("conversation", opened.id);
  if (failed) throw new Error(failed.message);
  if (reply?.finished) console.log(`${turn}: ${reply.finished.text}`);
  if (opened || reply?.finished) await ask();
}
client.close();
