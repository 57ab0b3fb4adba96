// Asks one question about one picture: npx tsx ask.ts picture.png "What does it show?" [host:port]
import { readFileSync } from "node:fs";
import { connect } from "./contract.ts";

const [picture, text, target] = process.argv.slice(2);
const parts = [{ image: { data: readFileSync(picture) } }, { text }];
const client = connect(target);
for await (const event of client.Generate({ messages: [{ role: "ROLE_USER", parts }], decoding: { gen_length: 32 } })) {
  console.log(event.event, event[event.event].text ?? event[event.event].number ?? "");
}
client.close();
