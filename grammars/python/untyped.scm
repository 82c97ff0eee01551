; Parameters and results without a type: @about the function.
((function_definition
  parameters: (parameters [
    (identifier) @parameter
    (default_parameter name: (identifier) @parameter)
    (list_splat_pattern (identifier)) @parameter
    (dictionary_splat_pattern (identifier)) @parameter
  ])) @about
  (#not-match? @parameter "^(self|cls|mcs)$"))

(function_definition !return_type parameters: (parameters) @result) @about
