import { type RequestFailure } from "../failures/failure-log.ts";

/** Told once of every answer of 5xx that somebody still waits for, and of every one that broke off. */
export type OnFailure = (failure: RequestFailure) => void;
