/** JSONPath's payload templates: fields whose names end in ".$". */
import { isFields, segment, type Fields } from "./definition";

export interface TemplateLeaf {
    /** Below the template. */
    readonly path: string;
    /** The field's name, with its ".$". */
    readonly key: string;
    readonly value: unknown;
    /** Does the same name stand beside it without ".$"? */
    readonly hasTwin: boolean;
}

interface Todo {
    readonly prefix: string;
    readonly value: unknown;
}

/** The fields of a payload template whose names end in ".$". */
export function templateLeaves(template: unknown): TemplateLeaf[] {
    const found: TemplateLeaf[] = [];
    const work: Todo[] = [{ prefix: "", value: template }];
    for (let item = work.pop(); item !== undefined; item = work.pop()) {
        const { prefix, value } = item;
        if (Array.isArray(value)) {
            value.forEach((element: unknown, index) => {
                if (typeof element === "object" && element !== null) {
                    work.push({ prefix: `${prefix}${index}/`, value: element });
                }
            });
        } else if (isFields(value)) {
            collect(value, prefix, found, work);
        }
    }
    return found;
}

function collect(fields: Fields, prefix: string, found: TemplateLeaf[], work: Todo[]): void {
    for (const key of Object.keys(fields)) {
        const value = fields[key];
        if (key.endsWith(".$")) {
            const hasTwin = Object.hasOwn(fields, key.slice(0, -2));
            found.push({ path: `${prefix}${segment(key)}`, key, value, hasTwin });
        } else if (typeof value === "object" && value !== null) {
            work.push({ prefix: `${prefix}${segment(key)}/`, value });
        }
    }
}
