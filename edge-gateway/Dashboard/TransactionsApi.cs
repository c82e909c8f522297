using System.Globalization;
using DicomServerless.EdgeGateway.Transactions;

namespace DicomServerless.EdgeGateway.Dashboard;

/// <summary><c>GET /api/transactions?from&amp;to&amp;kind&amp;ae&amp;result&amp;limit</c>.</summary>
internal static class TransactionsApi
{
    private const int DefaultLimit = 200, MaxLimit = 5_000;
    private static readonly string[] Known = ["from", "to", "kind", "ae", "result", "limit"];

    /// <summary>Answers.</summary>
    public static IResult List(HttpRequest request, TransactionLog transactions)
    {
        var query = request.Query;
        foreach (var key in query.Keys)
            if (!Known.Contains(key)) return Answers.Wrong(key, $"The parameter is not known; use one of {string.Join(", ", Known)}.");
        if (!TryTime(query["from"], out var from)) return Answers.Wrong("from", "Give a time such as 2026-11-21T08:00:00Z.");
        if (!TryTime(query["to"], out var to)) return Answers.Wrong("to", "Give a time such as 2026-11-21T08:00:00Z.");
        if (!TryName<TransactionKind>(query["kind"], out var kind))
            return Answers.Wrong("kind", $"Use one of {string.Join(", ", Enum.GetNames<TransactionKind>())}.");
        if (!TryName<TransactionResult>(query["result"], out var result))
            return Answers.Wrong("result", $"Use one of {string.Join(", ", Enum.GetNames<TransactionResult>())}.");
        var limit = DefaultLimit;
        if (One(query["limit"]) is { } limitText
            && (!int.TryParse(limitText, NumberStyles.None, CultureInfo.InvariantCulture, out limit)
            || limit is < 1 or > MaxLimit)) return Answers.Wrong("limit", $"Give a number from 1 to {MaxLimit}.");
        var found = transactions.Read(new TransactionFilter(from, to, kind, One(query["ae"]), result, limit));
        return Answers.Ok(new TransactionList(found, found.Count >= limit), ApiJson.Default.TransactionList);
    }

    private static string? One(string? text) => string.IsNullOrWhiteSpace(text) ? null : text.Trim();

    // A number would parse as well.
    private static bool TryName<T>(string? text, out T? value) where T : struct, Enum
    {
        value = null;
        if (One(text) is not { } given) return true;
        if (!char.IsLetter(given[0]) || !Enum.TryParse<T>(given, ignoreCase: true, out var parsed) || !Enum.IsDefined(parsed)) return false;
        value = parsed;
        return true;
    }

    private static bool TryTime(string? text, out DateTimeOffset? time)
    {
        time = null;
        if (One(text) is not { } given) return true;
        if (!DateTimeOffset.TryParse(given, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var parsed)) return false;
        time = parsed;
        return true;
    }
}
