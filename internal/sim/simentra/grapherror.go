package simentra

import (
	"encoding/json"
	"fmt"
	"net/http"
	"time"
)

// A graphError is an error of Graph. A wrapped one has the code UnknownError and carries its own code in the message.
type graphError struct {
	status    int
	code      string
	message   string
	wrapped   bool
	challenge string // WWW-Authenticate
}

func (e graphError) Error() string { return e.code + ": " + e.message }

// with returns the error with another message.
func (e graphError) with(message string) *graphError {
	if message != "" {
		e.message = message
	}
	return &e
}

// Errors of PIM.
var (
	errInvalidRequest   = graphError{status: 400, code: "InvalidRoleAssignmentRequest", message: "The role assignment request is invalid."}
	errInvalidSchedule  = graphError{status: 400, code: "InvalidRoleAssignmentRequestSchedule", message: "The role assignment request schedule is invalid."}
	errRules            = graphError{status: 400, code: "RoleAssignmentRequestPolicyValidationFailed"}
	errAcrs             = graphError{status: 400, code: "RoleAssignmentRequestAcrsValidationFailed"}
	errExists           = graphError{status: 400, code: "RoleAssignmentExists", message: "The Role assignment already exists."}
	errPendingRequest   = graphError{status: 400, code: "PendingRoleAssignmentRequest", message: "There is already an existing pending Role assignment request."}
	errOverlaps         = graphError{status: 400, code: "OverlapsPendingRoleAssignmentRequests", message: "The request overlaps with an existing pending role assignment request."}
	errTooShort         = graphError{status: 400, code: "ActiveDurationTooShort", message: "The Active duration is too short. Miniumum Required is 5 minutes."} // spelled as PIM does
	errNoAssignment     = graphError{status: 404, code: "RoleAssignmentDoesNotExist", message: "The Role assignment does not exist."}
	errNoAssignmentYet  = graphError{status: 400, code: "RoleAssignmentDoesNotExist", message: "The Role assignment does not exist."}
	errNoRole           = graphError{status: 400, code: "RoleNotFound", message: "The role is not found."}
	errNoSubject        = graphError{status: 400, code: "SubjectNotFound", message: "The subject is not found."}
	errInsufficient     = graphError{status: 403, code: "InsufficientPermissions", message: "The requestor does not have permissions for this request."}
	errSelfApproval     = graphError{status: 400, code: "BadRequest", message: "Request doesn't allow Self-Approval", wrapped: true} // exact code not known
	errNotApprover      = graphError{status: 403, code: "Forbidden", message: "The caller is not an approver of this request.", wrapped: true}
	errDecided          = graphError{status: 409, code: "Conflict", message: "The approval stage has already been reviewed or is closed.", wrapped: true}
	errNoApproval       = graphError{status: 404, code: "ResourceNotFound", message: "The approval is not found.", wrapped: true}
	errRequestNotFound  = graphError{status: 404, code: "RoleAssignmentRequestNotFound", message: "The role assignment request is not found.", wrapped: true}
	errUnsupportedApp   = graphError{status: 403, code: "UnauthorizedAccessException", message: "Attempted to perform an unauthorized operation.", wrapped: true}
	errDirectoryRefused = graphError{status: 403, code: "Authorization_RequestDenied", message: "Insufficient privileges to complete the operation."}
)

func badRequest(format string, values ...any) *graphError {
	return &graphError{status: http.StatusBadRequest, code: "BadRequest", message: fmt.Sprintf(format, values...)}
}

func noSuchObject(id string) *graphError {
	return &graphError{
		status: http.StatusNotFound, code: "Request_ResourceNotFound",
		message: "Resource '" + id + "' does not exist or one of its queried reference-property objects are not present.",
	}
}

// body is the error in its envelope.
func (e *graphError) body(requestID, clientID string, now time.Time) map[string]any {
	code, message := e.code, e.message
	if e.wrapped {
		raw, err := json.Marshal(map[string]any{"errorCode": e.code, "message": e.message, "instanceAnnotations": []any{}})
		if err != nil { // unreachable: two strings
			raw = nil
		}
		code, message = "UnknownError", string(raw)
	}
	return map[string]any{"error": map[string]any{
		"code": code, "message": message,
		"innerError": map[string]any{
			"date": now.UTC().Format("2006-01-02T15:04:05"), "request-id": requestID, "client-request-id": clientID,
		},
	}}
}
