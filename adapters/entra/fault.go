package entra

import (
	"encoding/json"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// fault is a refusal of Graph in its parts: of a call, or of one answer inside a batch.
type fault struct {
	status     int
	code       string
	message    string // Graph's text: read for rules and claims, never shown
	rules      []string
	claims     string
	retryAfter time.Duration
	requestID  string
}

// readFault reads a refusal. Both envelopes are understood; what is neither leaves the status alone.
func readFault(status int, header http.Header, body []byte) fault {
	f := fault{status: status, retryAfter: retryAfter(header), requestID: header.Get("request-id")}
	f.code, f.message, f.requestID = readEnvelope(body, f.requestID)
	f.code, f.message = unwrap(f.code, f.message)
	f.rules = failedRules(f.message)
	f.claims = headerClaims(header)
	if f.claims == "" {
		f.claims = messageClaims(f.message)
	}
	f.requestID = safeID(f.requestID)
	f.code = safeCode(f.code)
	return f
}

// readEnvelope reads {"error":{"code","message","innerError":{"request-id"}}}, each part on its own, so that one of an
// unexpected type does not hide the others.
func readEnvelope(body []byte, headerID string) (code, message, requestID string) {
	var outer struct {
		Error map[string]json.RawMessage `json:"error"`
	}
	if err := json.Unmarshal(body, &outer); err != nil {
		return "", "", headerID
	}
	var inner map[string]json.RawMessage
	for _, name := range []string{"innerError", "innererror"} {
		if raw, ok := outer.Error[name]; ok && json.Unmarshal(raw, &inner) != nil {
			inner = nil
		}
	}
	requestID = headerID
	if requestID == "" {
		requestID = text(inner["request-id"])
	}
	return text(outer.Error["code"]), text(outer.Error["message"]), requestID
}

// unwrap reads the second envelope: a message that is itself JSON with errorCode and message.
func unwrap(code, message string) (string, string) {
	var wrapped map[string]json.RawMessage
	if !strings.HasPrefix(strings.TrimSpace(message), "{") || json.Unmarshal([]byte(message), &wrapped) != nil {
		return code, message
	}
	if inner := text(wrapped["errorCode"]); inner != "" {
		return inner, text(wrapped["message"])
	}
	return code, message
}

func text(raw json.RawMessage) string {
	var s string
	if json.Unmarshal(raw, &s) != nil {
		return ""
	}
	return s
}

var (
	ruleList = regexp.MustCompile(`(?i)policy rules failed:\s*\[([^\]]*)\]`)
	ruleName = regexp.MustCompile(`[A-Za-z]{1,64}`)
	codeForm = regexp.MustCompile(`^[A-Za-z0-9_.-]{1,96}$`)
	idForm   = regexp.MustCompile(`^[A-Za-z0-9-]{1,64}$`)
)

// failedRules reads the names of the rules, which only stand in the message.
func failedRules(message string) []string {
	match := ruleList.FindStringSubmatch(message)
	if match == nil {
		return nil
	}
	return ruleName.FindAllString(match[1], 10)
}

func safeCode(code string) string {
	if codeForm.MatchString(code) {
		return code
	}
	return ""
}

func safeID(id string) string {
	if idForm.MatchString(id) {
		return id
	}
	return ""
}

// maxRetryAfter bounds what another side can make us wait.
const maxRetryAfter = time.Hour

// retryAfter reads seconds, or a time against the answer's own Date.
func retryAfter(header http.Header) time.Duration {
	value := strings.TrimSpace(header.Get("Retry-After"))
	if value == "" {
		return 0
	}
	wait := time.Duration(0)
	if seconds, err := strconv.ParseFloat(value, 64); err == nil && seconds >= 0 && seconds < 1e9 {
		wait = time.Duration(seconds * float64(time.Second))
	} else if until, err := http.ParseTime(value); err == nil {
		if at, err := http.ParseTime(header.Get("Date")); err == nil {
			wait = until.Sub(at)
		}
	}
	return min(max(wait, 0), maxRetryAfter)
}
