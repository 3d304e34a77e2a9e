/**
 * What is read of an ExportTraceServiceRequest, in the names and the shapes of OTLP's JSON: ids are hexadecimal, and whole numbers
 * of 64 bits may be text. Everything may be missing.
 */
export type TraceRequest = { resourceSpans?: ResourceSpans[] | null | undefined };

type ResourceSpans = {
  resource?: { attributes?: Attribute[] | null | undefined } | null | undefined;
  scopeSpans?: { spans?: Span[] | null | undefined }[] | null | undefined;
};

export type Span = {
  traceId?: string | null | undefined;
  spanId?: string | null | undefined;
  /** 0 unspecified, 1 internal, 2 server, 3 client, 4 producer, 5 consumer. */
  kind?: number | null | undefined;
  startTimeUnixNano?: string | number | null | undefined;
  endTimeUnixNano?: string | number | null | undefined;
  attributes?: Attribute[] | null | undefined;
  /** `code` is 0 unset, 1 ok, 2 error. */
  status?: { message?: string | null | undefined; code?: number | null | undefined } | null | undefined;
};

export type Attribute = { key?: string | null | undefined; value?: AttributeValue | null | undefined };

/** One of these; arrays, maps and bytes are not read. */
export type AttributeValue = {
  stringValue?: string | null | undefined;
  boolValue?: boolean | null | undefined;
  intValue?: string | number | null | undefined;
  doubleValue?: string | number | null | undefined;
};
