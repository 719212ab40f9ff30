package entra_test

import (
	"encoding/json"
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/microsoft/kiota-abstractions-go/serialization"
	jsonformat "github.com/microsoft/kiota-serialization-json-go"
	graphcore "github.com/microsoftgraph/msgraph-sdk-go-core"
	"github.com/microsoftgraph/msgraph-sdk-go/identitygovernance"
	"github.com/microsoftgraph/msgraph-sdk-go/models"
	"github.com/microsoftgraph/msgraph-sdk-go/models/odataerrors"
	"github.com/microsoftgraph/msgraph-sdk-go/users"

	"elevate/adapters/entra"
)

// factories are the SDK's types of the recorded bodies, by the beginning of the file's name.
var factories = map[string]serialization.ParsableFactory{
	"add-groupMember.":                             models.CreateReferenceCreateFromDiscriminatorValue,
	"add-groupMembers.bulk.":                       models.CreateGroupFromDiscriminatorValue,
	"batch.":                                       graphcore.CreateBatchRequestItemDiscriminator,
	"checkMemberGroups.request":                    users.CreateItemCheckMemberGroupsPostRequestBodyFromDiscriminatorValue,
	"checkMemberGroups.response":                   users.CreateItemCheckMemberGroupsPostResponseFromDiscriminatorValue,
	"create-assignmentScheduleRequest.":            models.CreatePrivilegedAccessGroupAssignmentScheduleRequestFromDiscriminatorValue,
	"create-defenderRoleAssignment.":               models.CreateEntityFromDiscriminatorValue,
	"create-eligibilityScheduleRequest.":           models.CreatePrivilegedAccessGroupEligibilityScheduleRequestFromDiscriminatorValue,
	"create-group.":                                models.CreateGroupFromDiscriminatorValue,
	"error.":                                       odataerrors.CreateODataErrorFromDiscriminatorValue,
	"filterByCurrentUser-assignmentApprovals.":     identitygovernance.CreatePrivilegedAccessGroupAssignmentApprovalsFilterByCurrentUserWithOnGetResponseFromDiscriminatorValue,
	"filterByCurrentUser-assignmentScheduleReques": identitygovernance.CreatePrivilegedAccessGroupAssignmentScheduleRequestsFilterByCurrentUserWithOnGetResponseFromDiscriminatorValue,
	"filterByCurrentUser-eligibilitySchedules.":    identitygovernance.CreatePrivilegedAccessGroupEligibilitySchedulesFilterByCurrentUserWithOnGetResponseFromDiscriminatorValue,
	"get-approvalStage.":                           models.CreateApprovalStageFromDiscriminatorValue,
	"get-assignmentScheduleRequest.":               models.CreatePrivilegedAccessGroupAssignmentScheduleRequestFromDiscriminatorValue,
	"list-assignmentScheduleInstances.":            models.CreatePrivilegedAccessGroupAssignmentScheduleInstanceCollectionResponseFromDiscriminatorValue,
	"list-assignmentScheduleRequests.":             models.CreatePrivilegedAccessGroupAssignmentScheduleRequestCollectionResponseFromDiscriminatorValue,
	"list-assignmentSchedules.":                    models.CreatePrivilegedAccessGroupAssignmentScheduleCollectionResponseFromDiscriminatorValue,
	"list-directoryAudits.":                        models.CreateDirectoryAuditCollectionResponseFromDiscriminatorValue,
	"list-eligibilitySchedules.":                   models.CreatePrivilegedAccessGroupEligibilityScheduleCollectionResponseFromDiscriminatorValue,
	"list-groupResources.":                         models.CreateDirectoryObjectCollectionResponseFromDiscriminatorValue,
	"list-roleManagementPolicyAssignments.":        models.CreateUnifiedRoleManagementPolicyAssignmentCollectionResponseFromDiscriminatorValue,
	"update-approvalStage.":                        models.CreateApprovalStageFromDiscriminatorValue,
	"update-roleManagementPolicyRule.":             models.CreateUnifiedRoleManagementPolicyRuleFromDiscriminatorValue,
}

// TestEveryRecordedBody sends every body of the reference through the repair and the SDK, there and back, and loses nothing.
func TestEveryRecordedBody(t *testing.T) {
	files, err := filepath.Glob("testdata/graph/*.json")
	if err != nil || len(files) < 40 {
		t.Fatal(err, len(files))
	}
	for _, file := range files {
		name := filepath.Base(file)
		t.Run(name, func(t *testing.T) {
			for _, body := range parts(t, name) {
				want, got := decoded(t, entra.Respell(body)), decoded(t, there(t, factoryFor(t, name), entra.Respell(body)))
				if loss := lost("", want, got); loss != "" {
					t.Error(loss)
				}
			}
		})
	}
}

func factoryFor(t *testing.T, name string) serialization.ParsableFactory {
	t.Helper()
	for prefix, factory := range factories {
		if strings.HasPrefix(name, prefix) {
			return factory
		}
	}
	t.Fatalf("no type of the SDK for %s", name)
	return nil
}

// parts are the bodies in a file: a batch has many.
func parts(t *testing.T, name string) [][]byte {
	t.Helper()
	body := []byte(recorded(t, name))
	if !strings.HasPrefix(name, "batch.") {
		return [][]byte{body}
	}
	var batch map[string][]json.RawMessage
	if err := json.Unmarshal(body, &batch); err != nil {
		t.Fatal(err)
	}
	var list [][]byte
	for _, one := range append(batch["requests"], batch["responses"]...) {
		list = append(list, one)
	}
	return list
}

// there parses a body with the SDK and writes it again.
func there(t *testing.T, factory serialization.ParsableFactory, body []byte) []byte {
	t.Helper()
	node, err := jsonformat.NewJsonParseNodeFactory().GetRootParseNode("application/json", body)
	if err != nil {
		t.Fatal(err)
	}
	model, err := node.GetObjectValue(factory)
	if err != nil {
		t.Fatal(err)
	}
	writer := jsonformat.NewJsonSerializationWriter()
	if err := writer.WriteObjectValue("", model); err != nil {
		t.Fatal(err)
	}
	out, err := writer.GetSerializedContent()
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func decoded(t *testing.T, body []byte) any {
	t.Helper()
	var v any
	if err := json.Unmarshal(body, &v); err != nil {
		t.Fatalf("%v in %s", err, body)
	}
	return v
}

// lost says what of want is not in got. Times are compared by the second and durations by their length, which is what
// the SDK can write; nulls need not come back.
func lost(path string, want, got any) string {
	switch want := want.(type) {
	case nil:
		return ""
	case map[string]any:
		object, ok := got.(map[string]any)
		if !ok {
			return fmt.Sprintf("%s: %T", path, got)
		}
		for key, value := range want {
			if loss := lost(path+"/"+key, value, object[key]); loss != "" {
				return loss
			}
		}
		return ""
	case []any:
		list, _ := got.([]any)
		if len(list) != len(want) {
			return fmt.Sprintf("%s: %d elements, want %d", path, len(list), len(want))
		}
		for i := range want {
			if loss := lost(fmt.Sprintf("%s/%d", path, i), want[i], list[i]); loss != "" {
				return loss
			}
		}
		return ""
	}
	if want == got || sameTime(want, got) || sameDuration(want, got) {
		return ""
	}
	return fmt.Sprintf("%s: %v became %v", path, want, got)
}

func sameTime(want, got any) bool {
	a, errA := time.Parse(time.RFC3339, fmt.Sprint(want))
	b, errB := time.Parse(time.RFC3339, fmt.Sprint(got))
	return errA == nil && errB == nil && a.Truncate(time.Second).Equal(b)
}

func sameDuration(want, got any) bool {
	a, okA := entra.ParseISODuration(fmt.Sprint(want))
	b, okB := entra.ParseISODuration(fmt.Sprint(got))
	return okA && okB && a == b
}
