/** How rollups wrote a call's type when this migration was made. */
const CODES = {
  chatCompletion: 1,
  embedding: 2,
  imageGeneration: 3,
  audioGeneration: 4,
  video: 5,
  custom: 6,
};

const codes = Object.entries(CODES);

/** Writes the code of a column of types. */
export function typeCode(column: string): string {
  return `(case ${column} ${codes.map(([type, code]) => `when '${type}' then ${code}`).join(" ")} end)::int2`;
}

/** Writes the type of a column of codes. */
export function typeName(column: string): string {
  return `case ${column} ${codes.map(([type, code]) => `when ${code} then '${type}'`).join(" ")} end`;
}
