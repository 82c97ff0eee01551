"""Sound texts in every language, any number of them: a few definitions with names and numbers drawn anew."""

import random
import re

WORDS = (
    "total",
    "count",
    "item",
    "value",
    "limit",
    "index",
    "node",
    "left",
    "right",
    "price",
    "order",
    "width",
    "depth",
)

HEADS = {"bash": "#!/bin/bash\n", "c": "#include <stdio.h>\n", "cpp": "#include <vector>\n", "go": "package main\n"}

OUTER = {"java": ("class Shop {\n", "}\n"), "json": ("{\n", '  "last": null\n}\n')}
"""What stands around the definitions where they cannot be at the top."""

PARTS = {
    "bash": (
        'N1() {\n    local N2="$1"\n    if [[ -n "$N2" ]]; then\n        echo "$N2" >&2\n    fi\n}\n',
        "for N1 in a b 7; do\n    N2=$(( N1 + 7 ))\n    echo $N2 | wc -c\ndone\n",
        'case "$N1" in\n    a) N2=7 ;;\n    *) N2=8 ;;\nesac\n',
        'while read -r N1; do\n    [ "$N1" = 7 ] && continue\n    N2+=("$N1")\ndone < "$N3"\n',
    ),
    "c": (
        "int N1(int N2, int N3) {\n    if (N2 > 7) {\n        return N3 - N2;\n    }\n    return N2 * 7;\n}\n",
        "struct N1 {\n    int N2;\n    char *N3[7];\n};\n",
        'static void N1(char *N2) {\n    for (int i = 0; i < 7; i++) {\n        printf("%d", N2[i]);\n    }\n}\n',
        "double N1 = 7.5;\nint N2[] = {7, 8, 9};\n",
    ),
    "cpp": (
        "class N1 {\n public:\n    explicit N1(int N2) : N3(N2) {}\n    int N2() const { return N3; }\n\n"
        " private:\n    int N3 = 7;\n};\n",
        "template <class T>\nT N1(const T &N2, T N3) {\n    return N2 < N3 ? N2 : N3;\n}\n",
        "int N1(std::vector<int> N2) {\n    int N3 = 0;\n    for (auto x : N2) {\n        N3 += x * 7;\n    }\n"
        "    return N3;\n}\n",
        "namespace N1 {\nconstexpr int N2 = 7;\nauto N3 = [](int x) { return x + N2; };\n}\n",
    ),
    "go": (
        "func N1(N2 int, N3 []int) int {\n\tif N2 > 7 {\n\t\treturn len(N3)\n\t}\n\treturn N2\n}\n",
        "type N1 struct {\n\tN2 int\n\tN3 map[string]int\n}\n",
        "func (n *Node) N1(N2 string) error {\n\tfor i, x := range n.N3 {\n\t\tn.set(i, x, N2)\n\t}\n\treturn nil\n}\n",
        'var N1 = []string{"a", "b"}\n',
    ),
    "java": (
        "    private final int N1 = 7;\n",
        "    int N1(int N2, String N3) {\n        if (N2 > 7) {\n            return N3.length();\n        }\n"
        "        return N2 - 7;\n    }\n",
        "    static <T> List<T> N1(T[] N2) {\n        List<T> N3 = new ArrayList<>();\n        for (T x : N2) {\n"
        "            N3.add(x);\n        }\n        return N3;\n    }\n",
        "    void N1() throws IOException {\n        try {\n            this.N2(7);\n        } catch (Error e) {\n"
        "            N3 = e.toString();\n        }\n    }\n",
    ),
    "javascript": (
        "function N1(N2, N3 = 7) {\n  if (N2 > N3) {\n    return N2 - N3;\n  }\n  return [N2, ...N3];\n}\n",
        "const N1 = (N2) => {\n  const { N3 } = N2;\n  return N3.map((x) => x * 7);\n};\n",
        'class N1 extends Base {\n  N2(x) {\n    return `${x}` + "a";\n  }\n\n  static N3 = 7;\n}\n',
        "for (const N1 of N2) {\n  try {\n    await N3(N1);\n  } catch (e) {\n    console.log(e, 7);\n  }\n}\n",
    ),
    "json": (
        '  "N1": {\n    "N2": [7, 8, {"N3": true}],\n    "b": -7.5e3\n  },\n',
        '  "N1": "N2",\n',
        '  "N1": [\n    "N2",\n    null,\n    {"N3": {"a": []}}\n  ],\n',
    ),
    "python": (
        "def N1(N2, N3=7):\n    if N2 > N3:\n        return [N2 - x for x in N3]\n    return N2 * 7\n",
        'class N1(Base):\n    N2: int = 7\n\n    def N3(self, *a):\n        """Words."""\n        return self.N2 + 7\n',
        "for N1, N2 in sorted(N3.items()):\n    try:\n        print(N1[7], f'{N2}')\n    except KeyError as e:\n"
        "        raise ValueError(N1) from e\n",
        "N1 = {'a': 7, 'b': [8, 9]}\nN2 = lambda x: x or N1['a']\n",
    ),
    "rust": (
        "fn N1(N2: i32, N3: &str) -> i32 {\n    if N2 > 7 {\n        return N3.len() as i32;\n    }\n    N2 * 7\n}\n",
        "struct Shop {\n    N1: i32,\n    N2: Vec<String>,\n}\n",
        "impl Shop {\n    pub fn N1(&mut self, N2: Option<i32>) {\n        match N2 {\n"
        "            Some(x) => self.N3 += x,\n            None => {}\n        }\n    }\n}\n",
        "let N1: Vec<_> = N2.iter().map(|x| x + 7).collect();\n",
    ),
    "tsx": (
        "function N1(N2: { a: string }) {\n  const N3 = N2.a;\n  return <p className={N3}>{N2.a}</p>;\n}\n",
        "const N1 = (N2: number): JSX.Element => (\n  <div>\n    <b>{N2 * 7}</b>\n  </div>\n);\n",
        "interface N1 {\n  N2: string;\n  N3?: number[];\n}\n",
        "const [N1, N2] = useState<number>(7);\nconst N3 = () => N2(N1 + 7);\n",
    ),
    "typescript": (
        "export function N1(N2: number, N3: string[]): string {\n  if (N2 > 7) {\n    return N3[N2];\n  }\n"
        "  return `${N2}`;\n}\n",
        "interface N1<T> {\n  N2: T;\n  N3?: (x: number) => void;\n}\n",
        "class N1 implements I {\n  private N2 = 7;\n\n  async N3(x: number): Promise<number> {\n"
        "    return x + this.N2;\n  }\n}\n",
        'type N1 = { N2: string } | null;\nconst N3 = (x: N1) => x?.N2 ?? "a";\n',
    ),
}


def snippet(language: str, number: int) -> bytes:
    """Two or three definitions; the same number gives the same text."""
    draw = random.Random(f"{language} {number}")
    first, last = OUTER.get(language, ("", ""))
    parts = draw.sample(PARTS[language], draw.choice((2, 3)))
    body = ("" if language == "json" else "\n").join(_renamed(part, draw) for part in parts)
    return (HEADS.get(language, "") + first + body + last).encode()


def _renamed(part: str, draw: random.Random) -> str:
    names = dict(zip(("N1", "N2", "N3"), draw.sample(WORDS, 3), strict=True))
    text = re.sub(r"N[123]", lambda match: names[match[0]], part)
    return re.sub(r"(?<![\w.])[789](?![\w.])", lambda _: str(draw.randrange(2, 100)), text)
