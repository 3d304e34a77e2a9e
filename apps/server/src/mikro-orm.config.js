// For MikroORM's command line, which looks for a TypeScript loader where this ends in `.ts`; Node needs none.
export { default } from "./mikro-orm.config.ts";
