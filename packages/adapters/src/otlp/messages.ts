import { readFileSync } from "node:fs";
import protobuf from "protobufjs";

const { root } = protobuf.parse(readFileSync(new URL("trace.proto", import.meta.url), "utf8"));

export const traceRequestMessage = root.lookupType("ExportTraceServiceRequest");
export const traceResponseMessage = root.lookupType("ExportTraceServiceResponse");
export const statusMessage = root.lookupType("RpcStatus");
