/** What is used of it here; it comes without types. */
declare module "papaparse" {
  const papaparse: {
    parse(text: string, options?: { delimiter?: string }): { data: string[][]; errors: object[] };
  };
  export default papaparse;
}
