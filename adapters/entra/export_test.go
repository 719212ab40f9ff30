package entra

// What the tests of the wire need to see.
var (
	Respell          = respell
	ParseISODuration = parseISODuration
	ISODuration      = isoDuration
	ByPIM            = byPIM
	ReadFault        = func(status int, body []byte) (string, []string, string) {
		f := readFault(status, nil, body)
		return f.code, f.rules, f.claims
	}
)
