import { describedSettings } from "./described-settings.ts";

/** Every setting with its default and what it means, a line each. */
export function settingsHelp(): string {
  const lines = describedSettings().map(
    (setting) => `  ${setting.name.padEnd(24)}  ${(setting.default ?? "-").padEnd(11)}  ${setting.about}`,
  );
  return ["", "Settings, with what they are where they are not set:", ...lines].join("\n");
}
