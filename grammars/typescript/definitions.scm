; Named nodes: @definition with its @name and @body.
(function_declaration name: (_) @name body: (_) @body) @definition
(generator_function_declaration name: (_) @name body: (_) @body) @definition
(class_declaration name: (_) @name body: (_) @body) @definition
(abstract_class_declaration name: (_) @name body: (_) @body) @definition
(interface_declaration name: (_) @name body: (_) @body) @definition
(enum_declaration name: (_) @name body: (_) @body) @definition
(type_alias_declaration name: (_) @name value: (_) @body) @definition
(internal_module name: (_) @name body: (_) @body) @definition
(module name: (_) @name body: (_) @body) @definition
(method_definition name: (_) @name body: (_) @body) @definition
(public_field_definition name: (_) @name
  value: [(arrow_function body: (_) @body) (function_expression body: (_) @body)]) @definition
(variable_declarator name: (identifier) @name
  value: [
    (arrow_function body: (_) @body)
    (function_expression body: (_) @body)
    (generator_function body: (_) @body)
    (class body: (_) @body)
    (object) @body
  ]) @definition
(pair key: (property_identifier) @name
  value: [(arrow_function body: (_) @body) (function_expression body: (_) @body)]) @definition
