; Parameters and results without a type: @about the function. A default value tells the type of its parameter.
(function_declaration
  parameters: (formal_parameters (required_parameter pattern: (_) @parameter !type !value))) @about
(function_declaration !return_type parameters: (formal_parameters) @result) @about

(method_definition
  parameters: (formal_parameters (required_parameter pattern: (_) @parameter !type !value))) @about
((method_definition name: (_) @name !return_type parameters: (formal_parameters) @result) @about
  (#not-eq? @name "constructor"))
