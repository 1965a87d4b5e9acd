/** Text within HTML. */

const ENTITIES: Readonly<Record<string, string>> = {
    "&": "&amp;",
    "<": "&lt;",
    ">": "&gt;",
    '"': "&quot;",
    "'": "&#39;",
};

/** Text as content of an element or of an attribute in quotation marks. */
export function escapeHtml(text: string | number): string {
    return String(text).replace(/[&<>"']/g, (character) => ENTITIES[character] ?? character);
}
