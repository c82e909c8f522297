using DicomServerless.EdgeGateway.Forwarding;

namespace DicomServerless.Unit.Gateway;

/// <summary>The tables of <see cref="RetryPolicy"/>, row by row.</summary>
public sealed class RetryPolicyTests
{
    // Outcome, objects, taken, A7xx, 0110, not named, singled out, failures of the study before, in a row → destination or uploads wait, study waits, split,
    // accused.
    public static TheoryData<string, string> Rows => new()
    {
        { "Answered 4 taken 2, 0 A7xx, 2 0110, 0 unnamed", "- - None NotProcessed" },
        { "Answered 4 taken 2, 2 A7xx, 0 0110, 0 unnamed", "- - None None" },
        { "Answered 4 taken 2, 0 A7xx, 0 0110, 2 unnamed", "- - Objects None" },
        { "Answered 4 taken 0, 4 A7xx, 0 0110, 0 unnamed", "destination - None None" },
        { "Answered 4 taken 0, 1 A7xx, 3 0110, 0 unnamed", "destination - None None" },
        { "Answered 4 taken 0, 0 A7xx, 4 0110, 0 unnamed", "- study None None" },
        { "Answered 4 taken 0, 0 A7xx, 4 0110, 0 unnamed, row", "destination study None None" },
        { "Answered 4 taken 0, 0 A7xx, 4 0110, 0 unnamed, failures 2", "- study Objects None" },
        { "Answered 1 taken 0, 0 A7xx, 1 0110, 0 unnamed", "- study None None" },
        { "Answered 1 taken 0, 0 A7xx, 1 0110, 0 unnamed, failures 2", "- study None NotProcessed" },
        { "Answered 1 taken 0, 0 A7xx, 1 0110, 0 unnamed, single", "- - None NotProcessed" },
        { "Answered 1 taken 0, 0 A7xx, 0 0110, 1 unnamed, single", "- - None NotNamed" },
        { "Answered 4 taken 0, 0 A7xx, 0 0110, 4 unnamed, failures 2", "- study Objects None" },
        { "Answered 4 taken 0, 0 A7xx, 0 0110, 0 unnamed", "- - None None" },
        { "TooLarge 4 taken 0, 0 A7xx, 0 0110, 4 unnamed", "- - Bytes None" },
        { "TooLarge 1 taken 0, 0 A7xx, 0 0110, 1 unnamed", "- - None TooLarge" },
        { "Refused 4 taken 0, 0 A7xx, 0 0110, 4 unnamed", "- - Objects None" },
        { "Refused 1 taken 0, 0 A7xx, 0 0110, 1 unnamed", "- - None Refused" },
        { "Refused 1 taken 0, 0 A7xx, 0 0110, 1 unnamed, row", "destination - None Refused" },
        { "Broken 4 taken 0, 0 A7xx, 0 0110, 4 unnamed", "- study None None" },
        { "Broken 4 taken 0, 0 A7xx, 0 0110, 4 unnamed, row", "destination study None None" },
        { "Broken 4 taken 0, 0 A7xx, 0 0110, 4 unnamed, failures 1", "- study None None" },
        { "Broken 4 taken 0, 0 A7xx, 0 0110, 4 unnamed, failures 2", "- study Objects None" },
        { "Broken 1 taken 0, 0 A7xx, 0 0110, 1 unnamed, failures 2", "- study None Broken" },
        { "Broken 1 taken 0, 0 A7xx, 0 0110, 1 unnamed, single", "- - None Broken" },
        { "Unavailable 4 taken 0, 0 A7xx, 0 0110, 4 unnamed", "destination - None None" },
        { "Unauthorized 4 taken 0, 0 A7xx, 0 0110, 4 unnamed", "destination alarm - None None" },
        { "NotStow 4 taken 0, 0 A7xx, 0 0110, 4 unnamed", "destination alarm - None None" },
        { "Unavailable 1 taken 0, 0 A7xx, 0 0110, 1 unnamed, single, upload", "uploads - None None" },
        { "Unauthorized 1 taken 0, 0 A7xx, 0 0110, 1 unnamed, single, upload", "uploads alarm - None None" },
        { "NotStow 1 taken 0, 0 A7xx, 0 0110, 1 unnamed, single, upload", "uploads alarm - None None" },
        { "Answered 1 taken 0, 1 A7xx, 0 0110, 0 unnamed, single, upload", "uploads - None None" },
        { "Broken 1 taken 0, 0 A7xx, 0 0110, 1 unnamed, single, upload", "- - None Broken" },
        { "Broken 1 taken 0, 0 A7xx, 0 0110, 1 unnamed, single, upload, row", "uploads - None Broken" },
        { "Refused 1 taken 0, 0 A7xx, 0 0110, 1 unnamed, single, upload, row", "uploads - None Refused" },
    };

    [Theory]
    [MemberData(nameof(Rows))]
    public void Each_row_of_the_table_of_requests(string request, string decision)
    {
        var words = request.Replace(",", "", StringComparison.Ordinal).Split(' ');
        var found = RetryPolicy.Decide(new FailedRequest
        {
            Outcome = Enum.Parse<BatchOutcome>(words[0]), Objects = int.Parse(words[1]), Taken = int.Parse(words[3]), OutOfResources = int.Parse(words[4]),
            NotProcessed = int.Parse(words[6]), NotNamed = int.Parse(words[8]), IsSingledOut = words.Contains("single"), FollowsAnother = words.Contains("row"),
            IsUpload = words.Contains("upload"), WasAnswered = words.Contains("upload"),
            StudyFailures = words.Contains("failures") ? int.Parse(words[^1]) : 0,
        });
        var alarm = found.Alarm is null ? "" : " alarm";
        var service = found.DestinationWaits ? "destination" : found.UploadsWait ? "uploads" : "-";
        Assert.Equal(decision, $"{service}{alarm} {(found.StudyWaits ? "study" : "-")} {found.Split} {found.Accused}");
    }

    [Theory]
    [InlineData("NotProcessed", 5, 15, true, true)]
    [InlineData("NotProcessed", 50, 14, true, false)] // a minute of trouble puts nothing into quarantine
    [InlineData("NotProcessed", 4, 60, true, false)]
    [InlineData("NotProcessed", 50, 60, false, false)] // nothing else is taken either: that is the destination
    [InlineData("NotNamed", 5, 15, true, true)]
    [InlineData("NotNamed", 5, 14, true, false)]
    [InlineData("Refused", 2, 1, true, true)]
    [InlineData("Refused", 2, 0, true, false)]
    [InlineData("Refused", 1, 60, true, false)]
    [InlineData("Refused", 9, 60, false, false)]
    [InlineData("TooLarge", 3, 15, false, true)]
    [InlineData("TooLarge", 3, 14, true, false)]
    [InlineData("TooLarge", 2, 60, true, false)]
    [InlineData("Broken", 10, 0, true, true)]
    [InlineData("Broken", 9, 60, true, false)]
    [InlineData("Broken", 99, 60, false, false)]
    [InlineData("None", 99, 999, true, false)]
    public void Each_row_of_the_table_of_objects(string accused, int failures, int minutes, bool othersTaken, bool isForQuarantine) =>
        Assert.Equal(isForQuarantine,
            RetryPolicy.IsForQuarantine(Enum.Parse<Accusation>(accused), new ObjectHistory(failures, TimeSpan.FromMinutes(minutes), othersTaken)));

    [Fact]
    public void Every_outcome_but_that_of_an_upload_service_has_a_row()
    {
        var written = Rows.Select(row => row.Data.Item1.Split(' ')[0]).ToHashSet();
        Assert.Equal(Enum.GetNames<BatchOutcome>().Except([nameof(BatchOutcome.NoUploads)]).Order(), written.Order());
    }
}
