/**
 * Goes on with a value that is mostly there already. Most expressions and states need no waiting, and a promise for
 * each of them would cost more than their work.
 */
export function then<T, Result>(
    value: T | Promise<T>,
    next: (value: T) => Result | Promise<Result>,
): Result | Promise<Result> {
    return value instanceof Promise ? value.then(next) : next(value);
}
