import { addTags, type Tag } from "../machines";
import type { Operations, Service } from "./service";

/** Tags of state machines. */
export function tagOperations({ machines }: Service): Operations {
    return {
        TagResource: (body) => {
            const { resourceArn, tags } = body as { readonly resourceArn: string; readonly tags: readonly Tag[] };
            addTags(machines.tags(resourceArn), tags, resourceArn);
            return {};
        },
        UntagResource: (body) => {
            const { resourceArn, tagKeys } = body as {
                readonly resourceArn: string;
                readonly tagKeys: readonly string[];
            };
            const tags = machines.tags(resourceArn);
            tagKeys.forEach((key) => tags.delete(key));
            return {};
        },
        ListTagsForResource: (body) => {
            const { resourceArn } = body as { readonly resourceArn: string };
            return { tags: [...machines.tags(resourceArn)].map(([key, value]) => ({ key, value })) };
        },
    };
}
