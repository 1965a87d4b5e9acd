"""The errors whose message ends up, as one line, as a training job's failure reason.

The line begins with the class name; the classifier of failures knows these prefixes:

* `DataError`: the input data is wrong; repairing the data helps, repeating the training does not;
* `HyperparameterError`: an unknown hyperparameter, a wrong type, a value out of bounds or beside others that
  it does not fit (the input);
* `StorageError`: the disk is full or an input cannot be read (repeating on another machine may help);
* `UnexpectedError`: everything else (a user bug: of this program).
"""


class TrainingError(Exception):
    """Base of the errors with a message for the person who started the training: what, where, got, expected, what to
    do.
    """


class DataError(TrainingError):
    pass


class HyperparameterError(TrainingError):
    pass


class StorageError(TrainingError):
    pass


class Interrupted(Exception):
    """SIGTERM came: what is finished is in the checkpoint, the rest is left for the next start."""
