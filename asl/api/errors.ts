/** Refusals of the service, under AWS's names and in its words. */

/** An answer of the service that is an error: its type as the SDKs know it. */
export class ServiceError extends Error {
    constructor(
        /** Name of the error's shape, for example `StateMachineDoesNotExist`. */
        readonly type: string,
        message: string,
        /** More fields of the answer. Default: none. */
        readonly fields: Readonly<Record<string, string>> = {},
    ) {
        super(message);
        this.name = type;
    }
}

/** A request that breaks a rule which no shape can express. */
export function invalid(message: string): ServiceError {
    return new ServiceError("ValidationException", message);
}

/** A token of a list that is not this list's. */
export function invalidToken(): ServiceError {
    return new ServiceError("InvalidToken", "Invalid Token: 'Invalid token'");
}

/** A version, an alias, a Map Run or a tagged resource that is not there. */
export function resourceNotFound(resourceName: string): ServiceError {
    const message = "Request references a resource that does not exist.";
    return new ServiceError("ResourceNotFound", message, { resourceName });
}
