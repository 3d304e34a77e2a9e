import { type Configuration, PostgreSqlDriver } from "@mikro-orm/postgresql";

/** MikroORM takes "public" for the schema where everything is that has none of its own; here that is the configured one. */
export class SchemaPostgreSqlDriver extends PostgreSqlDriver {
  constructor(config: Configuration) {
    super(config);
    this.platform.getDefaultSchemaName = () => config.get("schema") ?? "public";
  }
}
