; What stands for code that is still to be written, when a marker is beside it.
(expression_statement (ellipsis)) @placeholder
(pass_statement) @placeholder
