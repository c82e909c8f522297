using DicomServerless.EdgeGateway.Forwarding;
using DicomServerless.EdgeGateway.Spooling;

namespace DicomServerless.Unit.Gateway;

/// <summary>Each range at both of its edges and one beyond; a problem begins with the key.</summary>
public sealed class OptionRangeTests
{
    private const long MostMiB = 1L << 40;

    [Fact]
    public void Numbers_of_the_spool_are_taken_from_the_first_to_the_last_of_their_range()
    {
        Check("MaxSizeMiB", [0, 1, MostMiB], [-1, MostMiB + 1], (SpoolOptions options, long value) => options.MaxSizeMiB = value, Problems);
        Check("MinFreeMiB", [0, 1, MostMiB], [-1, MostMiB + 1], (SpoolOptions options, long value) => options.MinFreeMiB = value, Problems);
        Check("RetentionHours", [0, 1, 100_000], [-1, 100_001], (SpoolOptions options, int value) => options.RetentionHours = value, Problems);
        Check("RetentionMaxMiB", [0, 1, MostMiB], [-1, MostMiB + 1], (SpoolOptions options, long value) => options.RetentionMaxMiB = value, Problems);
        Check("Path", ["spool"], ["", " "], (SpoolOptions options, string value) => options.Path = value, Problems);
        Check("Fsync", [FsyncPolicy.Object, FsyncPolicy.None], [(FsyncPolicy)(-1), (FsyncPolicy)3], (SpoolOptions options, FsyncPolicy value) =>
            options.Fsync = value, Problems);
    }

    [Fact]
    public void Settings_of_a_destination_are_taken_from_the_first_to_the_last_of_their_range()
    {
        var file = typeof(OptionRangeTests).Assembly.Location;
        Check("Url", ["http://archive", "https://archive/dicomweb"], ["", "archive", "ftp://archive"], (DestinationOptions options, string value) =>
            options.Url = value, Problems);
        Check("ProxyUrl", ["", "http://proxy:3128"], ["proxy:3128", "/proxy"], (DestinationOptions options, string value) =>
            options.ProxyUrl = value, Problems);
        Check("MaxBandwidthMbps", [0, 2.5, 1_000_000], [-0.1, 1_000_000.1, double.NaN], (DestinationOptions options, double value) =>
            options.MaxBandwidthMbps = value, Problems);
        Check("Window", ["", "18:00-06:00"], ["18:00", "18:00-18:00"], (DestinationOptions options, string value) => options.Window = value, Problems);
        Check("Window", ["", "UTC"], ["Mars/Olympus"], (DestinationOptions options, string value) => options.TimeZone = value, Problems);
        Check("Parallelism", [1, 64], [0, 65], (DestinationOptions options, int value) => options.Parallelism = value, Problems);
        Check("MaxBatchMiB", [1, 2_000], [0, 2_001], (DestinationOptions options, int value) => options.MaxBatchMiB = value, Problems);
        Check("MaxBodyMiB", [1, 1_000_000], [0, 1_000_001], (DestinationOptions options, int value) => options.MaxBodyMiB = value, Problems);
        Check("TimeoutSeconds", [1, 86_400], [0, 86_401], (DestinationOptions options, int value) => options.TimeoutSeconds = value, Problems);
        Check("ClientCertificate", ["", file], [file + ".no"], (DestinationOptions options, string value) => options.ClientCertificate = value, Problems);
        Check("ClientCertificateKey", ["", file], [file + ".no"], (DestinationOptions options, string value) => options.ClientCertificateKey = value, Problems);
        Check("ServerCertificateAuthority", ["", file], [file + ".no"], (DestinationOptions options, string value) =>
            options.ServerCertificateAuthority = value, Problems);
    }

    [Theory]
    [InlineData("None", "")]
    [InlineData("Basic", "User Password")]
    [InlineData("ApiKey", "Header Key")]
    [InlineData("ClientCredentials", "ClientId ClientSecret TokenUrl")]
    [InlineData("ManagedIdentity", "Scope")]
    [InlineData("WorkloadIdentity", "Scope")]
    [InlineData("9", "Kind")]
    public void Each_kind_of_authentication_says_what_it_lacks_and_nothing_else(string kind, string missing)
    {
        var options = new DestinationOptions { Url = "http://archive", Authentication = new() { Kind = Enum.Parse<AuthenticationKind>(kind), Header = "" } };
        Assert.Equal(missing, string.Join(' ', options.Problems("x").Select(problem => problem.Split(' ')[0]["x:Authentication:".Length..])));
        if (kind == "9") return;
        options.Authentication = options.Authentication with
        {
            User = "u", Password = "p", Header = "h", Key = "k", ClientId = "c", ClientSecret = "s", Scope = "o", TokenUrl = "https://login",
        };
        Assert.Empty(options.Problems("x"));
    }

    [Theory]
    [InlineData("ftp://archive", "ftp://archive")]
    [InlineData("ftp://user:secret@archive", "ftp://…@archive")]
    [InlineData("user:secret@archive", "…@archive")]
    [InlineData("user:secret@archive//x", "…@archive//x")]
    [InlineData("//user:secret@archive", "//…@archive")]
    [InlineData("@archive", "…@archive")]
    [InlineData("ftp://user:sec@ret@archive", "ftp://…@archive")]
    public void A_problem_shows_a_url_without_its_user(string url, string shown) =>
        Assert.StartsWith($"x:Url is '{shown}'.", Assert.Single(new DestinationOptions { Url = url }.Problems("x")), StringComparison.Ordinal);

    [Fact]
    public void Connections_are_kept_unless_something_of_theirs_changes()
    {
        var options = new DestinationOptions { Url = "http://archive" };
        Assert.True(options.HasConnectionOf(options with { Authentication = new(), MaxBandwidthMbps = 1, Parallelism = 1, Window = "18:00-06:00" }));
        DestinationOptions[] others =
        [
            options with { Url = "http://other" }, options with { Authentication = new() { User = "u" } }, options with { ClientCertificate = "c" },
            options with { ClientCertificateKey = "c" }, options with { ServerCertificateAuthority = "c" }, options with { ProxyUrl = "c" },
            options with { ProxyUser = "c" }, options with { ProxyPassword = "c" },
        ];
        Assert.All(others, other => Assert.False(options.HasConnectionOf(other)));
    }

    private static IEnumerable<string> Problems(SpoolOptions options) => options.Problems("x");

    private static IEnumerable<string> Problems(DestinationOptions options) => options.Problems("x");

    private static void Check<TOptions, TValue>(string key, TValue[] good, TValue[] bad, Action<TOptions, TValue> set,
        Func<TOptions, IEnumerable<string>> problems) where TOptions : new()
    {
        foreach (var value in good) Assert.Empty(ProblemsOf(value));
        foreach (var value in bad) Assert.StartsWith($"x:{key} is ", Assert.Single(ProblemsOf(value)), StringComparison.Ordinal);

        IEnumerable<string> ProblemsOf(TValue value)
        {
            var options = new TOptions();
            if (options is DestinationOptions destination) destination.Url = "http://archive";
            set(options, value);
            return problems(options);
        }
    }
}
