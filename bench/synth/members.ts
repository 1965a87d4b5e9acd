/**
 * Gives the program further base models, as its user would: entries of `MEMBERS` like the text model, trained from its
 * folder.
 */
import { MEMBERS } from "../../stacks/models";

/** To be called before anything that reads the configuration is loaded: its schema has one part a member. */
export function addMembers(count: number): void {
    const members = MEMBERS as Record<string, (typeof MEMBERS)[string]>;
    const { c, max_features } = members.text.hyperparameters;
    for (let index = Object.keys(members).length; index < count; index += 1) {
        members[`model_${index}`] = {
            // With all of the text model's hyperparameters a hundred members would be more than Step Functions takes: 1
            // MiB.
            ...members.text,
            hyperparameters: { c, max_features },
            capacity: members.text.capacity.slice(0, 1),
            mergeParameter: `INPUT_PATH_M${index}`,
            publishParameter: `INPUT_PATH_P${index}`,
        };
    }
}
