using System.Diagnostics;
using Microsoft.Extensions.Logging;

namespace DicomServerless.Shared;

/// <summary>
/// Names of patients that the tests plant in data and queries, and those of the samples: whatever our programs write for operators (log lines, spans) or into
/// headers and error bodies may hold none of them. Every server that the suite starts is checked, whatever else a test is about.
/// </summary>
public static class Privacy
{
    /// <summary>Nobody's names, for tests that plant.</summary>
    public const string Family = "Plantedfamily", Given = "Plantedgiven";

    // Family and given names of the sample files; whole words that nothing else is called.
    private static readonly string[] Names = [Family, Given, "MISTER", "Lestrade", "Archibald",
        "CompressedSamples", "HAROLD", "Buc^J", "Yamada", "ヤマダ", "山田", "Hong^Gildong", "Äneas"];

    /// <summary>Fails if a text holds one of the names.</summary>
    /// <param name="where">What the text is.</param>
    /// <param name="text">The text.</param>
    public static void Check(string where, string text)
    {
        foreach (var name in Names)
        {
            var at = text.IndexOf(name, StringComparison.OrdinalIgnoreCase);
            if (at >= 0) throw new InvalidOperationException($"{where} holds a patient's name: {text[Math.Max(0, at - 200)..Math.Min(text.Length, at + 60)]}");
        }
    }
}

/// <summary>Looks at every answer: its headers, and the body of an error.</summary>
public sealed class PrivacyHandler() : DelegatingHandler(new SocketsHttpHandler())
{
    /// <summary>How many answers were looked at.</summary>
    public int Count { get; private set; }

    /// <inheritdoc />
    protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        var response = await base.SendAsync(request, cancellationToken);
        Count++;
        Privacy.Check($"A header of {(int)response.StatusCode}", response.Headers.ToString() + response.Content.Headers);
        if ((int)response.StatusCode >= 400)
        {
            await response.Content.LoadIntoBufferAsync(cancellationToken);
            Privacy.Check($"The body of {(int)response.StatusCode}", await response.Content.ReadAsStringAsync(cancellationToken));
        }
        return response;
    }
}

/// <summary>Keeps what one program logs and traces, at every level, and fails when it is disposed of if a name was in it.</summary>
[ProviderAlias("Privacy")]
public sealed class PrivacyLog : ILoggerProvider, ILogger
{
    private readonly List<string> violations = [];
    private readonly ActivityListener spans;
    private int lines, traced;

    public PrivacyLog()
    {
        spans = new ActivityListener
        {
            ShouldListenTo = static source => source.Name.StartsWith("DicomServerless", StringComparison.Ordinal),
            Sample = static (ref ActivityCreationOptions<ActivityContext> _) => ActivitySamplingResult.AllDataAndRecorded,
            ActivityStopped = activity =>
            {
                Interlocked.Increment(ref traced);
                Look("A span", $"{activity.DisplayName} {string.Join(' ', activity.TagObjects)} {string.Join(' ', activity.Baggage)} "
                    + $"{string.Join(' ', activity.Events.SelectMany(item => item.Tags))} {activity.StatusDescription}");
            },
        };
        ActivitySource.AddActivityListener(spans);
    }

    /// <summary>How many lines and spans there were.</summary>
    public (int Lines, int Spans) Counts => (lines, traced);

    /// <inheritdoc />
    public ILogger CreateLogger(string categoryName) => this;

    // Scopes are the framework's, and no format of ours writes them.
    /// <inheritdoc />
    public IDisposable? BeginScope<TState>(TState state) where TState : notnull => null;

    /// <inheritdoc />
    public bool IsEnabled(LogLevel logLevel) => true;

    /// <inheritdoc />
    public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
    {
        Interlocked.Increment(ref lines);
        Look("A log line", formatter(state, exception) + exception);
    }

    /// <summary>Fails if a name was seen.</summary>
    public void Check()
    {
        lock (violations) if (violations.Count > 0) throw new InvalidOperationException(string.Join('\n', violations));
    }

    /// <inheritdoc />
    public void Dispose() => spans.Dispose();

    private void Look(string what, string text)
    {
        try
        {
            Privacy.Check(what, text);
        }
        catch (InvalidOperationException violation)
        {
            lock (violations) violations.Add(violation.Message);
        }
    }
}
