"""What steers, fools or blinds a terminal: over 200 sequences. A byte that is no UTF-8 is a surrogate here."""

CSI = """
2J 3J H 1;1H 1A 999B 999C 999D E F G K 1K 2K L M P X S T d 0m 1m 5m 7m 8m 31m 38;5;196m 48;2;1;2;3m s u r 1;5r 4h 4l
20h ?3h ?5h ?6h ?7l ?25l ?25h ?47h ?1000h ?1003h ?1006h ?1049h ?1049l ?2004h ?2026h c >c =c 5n 6n ?6n 14t 18t 20t 21t
22;0t 8;1;1t 3;0;0t i 4i 5i ?5i !p ?1$p >4;1m >1u g 3g b 10@ 1;1'z 1;2;3;4$r
"""
OSC = (
    "0;owned",
    "1;owned",
    "2;owned",
    "4;1;?",
    "7;file://host/etc",
    "8;;http://example.org",
    "9;note",
    "9;4;1;50",
    "10;?",
    "11;#ff0000",
    "12;?",
    "50;font",
    "52;c;cm0gLXJmIH4=",
    "52;c;?",
    "104",
    "133;A",
    "777;notify;a;b",
    "1337;SetMark",
)
STRINGS = ('$q"p', "+q544e", "q#0;2;0;0;0~-", "tmux;\x1b\x1b]0;owned\x07", "Ga=T,f=24;AAAA", "owned")
ENDS = ("\x07", "\x1b\\", "\x9c", "")
SHORT = "c 7 8 D E H M N O Z = > 6 9 (0 )0 *0 #8 %G %@ n o | } ~ l m ! F"
BIDI = (0x061C, 0x200E, 0x200F, *range(0x202A, 0x202F), *range(0x2066, 0x206A))
UNSEEN = (0x200B, 0x200C, 0x200D, 0x2028, 0x2029, 0x2060, 0xFEFF, 0xFFF9, 0xFFFB, 0xE0001, 0xE0041, 0xE007F)

CORPUS = (
    *(f"\x1b[{code}" for code in CSI.split()),
    *(f"\x9b{code}" for code in CSI.split()[:12]),
    *(f"\udc9b{code}" for code in CSI.split()[:6]),
    *(f"\x1b]{text}{end}" for text in OSC for end in ENDS[:3]),
    *(f"\x9d{text}\x9c" for text in OSC[:4]),
    *(f"\x1b{kind}{text}{end}" for kind, text in zip("PPPP_^", STRINGS, strict=True) for end in ENDS),
    "\x1bXowned\x1b\\",
    *(f"\x1b{code}" for code in SHORT.split()),
    *(chr(code) for code in range(0x20) if chr(code) not in "\t\n"),
    "\x7f",
    *(chr(code) for code in range(0x80, 0xA0)),
    *(chr(0xDC00 + byte) for byte in range(0x80, 0xA0)),
    *(f"{chr(code)}evil" for code in BIDI),
    *(f"pass{chr(code)}word" for code in UNSEEN),
    "safe\revil",
    "evil\b\b\b\bgood",
    "a\x1b[8mhidden\x1b[0mb",
    "\x1b[31mred\x1b",
    "\x0e\x0f\x05\x07",
    "\x1b\x1b[A",
    "\x1b[200~rm -rf ~\n\x1b[201~",
    "\udce2\udc80",
    "\udcc2\udc9b2J",
)
