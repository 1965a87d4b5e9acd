/** Assign: an object whose keys are names of variables. */
import type { QueryLanguage } from "../../types";
import { isFields, segment } from "../definition";
import { checkTemplate } from "./paths";
import { joinPath, LONGEST_NAME, show, type Place } from "./report";

const NAME = /^[\p{L}_][\p{L}\p{N}_]*$/u;

export function checkAssign(place: Place, value: unknown, path: string, language: QueryLanguage): void {
    if (!isFields(value)) {
        place.add("assign", path, `Assign is ${show(value)}, expected an object of variables.`);
        return;
    }
    for (const key of Object.keys(value)) {
        const name = language === "JSONPath" && key.endsWith(".$") ? key.slice(0, -2) : key;
        const where = joinPath(path, segment(key));
        if (name === "states") {
            place.add("assign", where, 'The variable "states" is reserved.');
        } else if (!NAME.test(name) || [...name].length > LONGEST_NAME) {
            place.add(
                "assign",
                where,
                `"${name.slice(0, 100)}" is no name of a variable: ` +
                    `letters, digits and "_", not a digit first, at most ${LONGEST_NAME} characters.`,
            );
        }
    }
    if (language === "JSONPath") {
        checkTemplate(place, value, path);
    }
}
