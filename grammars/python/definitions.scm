; Named nodes: @definition with its @name and @body; @docstring is the statement that a body opens with.
(function_definition name: (identifier) @name body: (block) @body) @definition
(class_definition name: (identifier) @name body: (block) @body) @definition

((function_definition body: (block . (expression_statement . (string) @text .) @docstring))
  (#match? @text "^[rRuU]?[\"']"))
((class_definition body: (block . (expression_statement . (string) @text .) @docstring))
  (#match? @text "^[rRuU]?[\"']"))
