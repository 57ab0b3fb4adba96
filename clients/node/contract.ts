// The published contract, loaded when it is imported.
import { credentials, loadPackageDefinition } from "@grpc/grpc-js";
import { loadSync } from "@grpc/proto-loader";
import { fileURLToPath } from "node:url";

const includeDirs = ["src/main/proto", "third_party"]
  .map((folder) => fileURLToPath(new URL(`../../proto/${folder}`, import.meta.url)));
const definition = loadSync(["lladav/v1/generation_service.proto", "lladav/v1/conversation_service.proto"], {
  includeDirs, keepCase: true, enums: String, longs: String, oneofs: true, defaults: true,
});
const { lladav } = loadPackageDefinition(definition) as any;

export const connect = (target = "localhost:7400") =>
  new lladav.v1.GenerationService(target, credentials.createInsecure());

export const connectToConversations = (target = "localhost:7400") =>
  new lladav.v1.ConversationService(target, credentials.createInsecure());

export const question = (text: string, genLength = 32) => ({
  messages: [{ role: "ROLE_USER", parts: [{ text }] }],
  decoding: { gen_length: genLength },
});
