; Named nodes: @definition with its @name and @body. A name may hide under pointers and references.
(function_definition
  declarator: [
    (function_declarator declarator: (_) @name)
    (pointer_declarator declarator: (function_declarator declarator: (_) @name))
    (reference_declarator (function_declarator declarator: (_) @name))
    (pointer_declarator declarator: (pointer_declarator declarator: (function_declarator declarator: (_) @name)))
    (pointer_declarator declarator: (reference_declarator (function_declarator declarator: (_) @name)))
  ]
  body: (_) @body) @definition
(class_specifier name: (_) @name body: (_) @body) @definition
(struct_specifier name: (_) @name body: (_) @body) @definition
(union_specifier name: (_) @name body: (_) @body) @definition
(enum_specifier name: (_) @name body: (_) @body) @definition
(namespace_definition name: (_) @name body: (_) @body) @definition
