package entra

import (
	"bytes"
	"encoding/json"
	"strings"
	"time"
)

// rawText is appended to the name of a property whose word the SDK does not know: its enums lose such words silently.
const rawText = "@elevate.text"

// words are the enums of the answers we read, by the property that holds them, spelled as the SDK parses them.
var words = map[string][]string{
	"accessId":       {"owner", "member"},
	"action":         {"adminAssign", "adminUpdate", "adminRemove", "selfActivate", "selfDeactivate", "adminExtend", "adminRenew", "selfExtend", "selfRenew"},
	"assignmentType": {"assigned", "activated"},
	"memberType":     {"direct", "group"},
	"operations":     {"all", "activate", "deactivate", "assign", "update", "remove", "extend", "renew"},
	"type":           {"notSpecified", "noExpiration", "afterDateTime", "afterDuration"},
	"result":         {"success", "failure", "timeout"},
}

// properties are the names that are read, and that answers have been seen to spell in another case.
var properties = lowerCased(
	"accessId", "accountEnabled", "action", "approvalId", "approvalMode", "approvalStages", "assignedToMe", "assignmentScheduleId", "assignmentType",
	"claimValue", "completedDateTime", "createdBy", "createdDateTime", "displayName", "duration", "employeeId", "enabledRules",
	"endDateTime", "expiration", "groupId", "id", "isApprovalRequired", "isAssignableToRole", "isEnabled", "isExpirationRequired",
	"justification", "maximumDuration", "memberType", "modifiedDateTime", "onPremisesExtensionAttributes", "onPremisesImmutableId", "operations",
	"policy", "primaryApprovers", "principal", "principalId", "result", "reviewResult", "reviewedBy", "reviewedDateTime", "roleDefinitionId",
	"rules", "scheduleInfo", "setting", "stages", "startDateTime", "status", "target", "targetScheduleId", "ticketInfo", "ticketNumber",
	"ticketSystem", "type", "user", "userId", "userType", "value",
)

func lowerCased(names ...string) map[string]string {
	m := make(map[string]string, len(names))
	for _, name := range names {
		m[strings.ToLower(name)] = name
	}
	return m
}

// respell repairs an answer before the SDK parses it: the case of property names, the words of enums, durations and
// times. It works by name at any depth, so that the answers inside a batch are repaired too. What is not JSON, or needs
// no repair it knows, is left for the SDK to refuse.
func respell(body []byte) []byte {
	decoder := json.NewDecoder(bytes.NewReader(body))
	decoder.UseNumber()
	var value any
	if err := decoder.Decode(&value); err != nil {
		return body
	}
	repaired, err := json.Marshal(respelled("", value))
	if err != nil {
		return body
	}
	return repaired
}

func respelled(name string, value any) any {
	switch v := value.(type) {
	case map[string]any:
		return respelledObject(v)
	case []any:
		for i := range v {
			v[i] = respelled(name, v[i])
		}
		if name == "operations" {
			return knownWords(v, words[name])
		}
		return v
	case string:
		return respelledText(name, v)
	}
	return value
}

func respelledObject(object map[string]any) map[string]any {
	out := make(map[string]any, len(object))
	for key, value := range object {
		name, known := properties[strings.ToLower(key)]
		if _, taken := object[name]; !known || (taken && name != key) {
			name = key
		}
		if name == "headers" { // of an answer inside a batch
			out[name] = value
			continue
		}
		out[name] = respelled(name, value)
		if text, ok := out[name].(string); ok && isForeign(name, text) {
			out[name+rawText] = text
		}
	}
	return out
}

func respelledText(name, text string) string {
	switch {
	case words[name] != nil:
		if word, ok := wordOf(text, words[name]); ok {
			return word
		}
	case name == "duration" || name == "maximumDuration":
		if d, ok := parseISODuration(text); ok {
			return kiotaDuration(d)
		}
	case strings.HasSuffix(name, "DateTime"), name == "date":
		return zonedTime(text)
	}
	return text
}

// zonedTime gives a time without a zone the one that Graph means, UTC; the SDK would take this machine's.
func zonedTime(text string) string {
	t, err := time.Parse("2006-01-02T15:04:05.999999999", text)
	if err != nil {
		return text
	}
	return t.Format(time.RFC3339Nano)
}

func wordOf(text string, list []string) (string, bool) {
	for _, word := range list {
		if strings.EqualFold(word, text) {
			return word, true
		}
	}
	return text, false
}

// knownWords puts the enum's own "unknown" in the place of words it does not have: the SDK would read its first one.
func knownWords(values []any, list []string) []any {
	for i, value := range values {
		text, ok := value.(string)
		if _, known := wordOf(text, list); !ok || !known {
			values[i] = "unknownFutureValue"
		}
	}
	return values
}

func isForeign(name, text string) bool {
	list := words[name]
	if list == nil {
		return false
	}
	_, known := wordOf(text, list)
	return !known
}
