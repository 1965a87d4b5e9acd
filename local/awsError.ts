/** A failure as Step Functions shows it to a Catch: the error's name and its cause, both strings. */
export class AwsError extends Error {
    public constructor(
        public readonly error: string,
        public readonly causeText: string,
    ) {
        super(`${error}: ${causeText}`);
        this.name = "AwsError";
    }
}
