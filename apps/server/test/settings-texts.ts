import { readFileSync } from "node:fs";
import { type DescribedSetting, describedSettings } from "../src/settings/described-settings.ts";

const BEGIN = "<!-- settings: made by `npm test -- apps/server/test/settings-texts.test.ts -u` -->";
const END = "<!-- end of settings -->";

/** A page whose table of settings, between two markers, is made anew. Throws where it has no markers. */
export function pageWithSettings(file: string): string {
  const page = readFileSync(file, "utf8");
  const [begin, end] = [page.indexOf(BEGIN), page.indexOf(END)];
  if (begin < 0 || end < begin) throw new Error(`${file} has no ${BEGIN} before ${END}`);
  return [page.slice(0, begin + BEGIN.length), "", settingsTable(), "", page.slice(end)].join("\n");
}

function settingsTable(): string {
  const settings = describedSettings();
  const names = new Set(settings.map(({ name }) => name));
  const quoted = (text: string) =>
    text.replace(/[A-Z][A-Z_]+/g, (word) => (names.has(word) ? `\`${word}\`` : word));
  const rows = settings.map((setting) => [
    `\`${setting.name}\``,
    setting.default === null ? "none" : `\`${setting.default}\``,
    mayBe(setting, (choice) => `\`${choice}\``),
    [quoted(setting.about), ...(setting.more === null ? [] : [setting.more])].join(". "),
  ]);
  const head = [
    ["setting", "default", "may be", "meaning"],
    ["---", "---", "---", "---"],
  ];
  return [...head, ...rows].map((cells) => `| ${cells.join(" | ")} |`).join("\n");
}

/** `.env.example`: every setting commented out, as it is where it is not set. */
export function envExample(): string {
  const head = `# Every setting, as it is where it is not set; docs/operating.md says more. Nothing reads this file by itself:
# copy it to .env, set what you need, and start with \`set -a; . ./.env; set +a; npm start\`.
# Made by \`npm test -- apps/server/test/settings-texts.test.ts -u\`.`;
  const settings = describedSettings().map((setting) => {
    const values = mayBe(setting, (choice) => choice);
    const about = values === "" ? setting.about : `${setting.about} (${values})`;
    return `# ${about}\n# ${setting.name}=${setting.default ?? ""}`;
  });
  return `${[head, ...settings].join("\n\n")}\n`;
}

function mayBe({ range, choices }: DescribedSetting, quoted: (choice: string) => string): string {
  if (range !== null) return `${range.min} to ${range.max}`;
  return choices.map(quoted).join(", ");
}
