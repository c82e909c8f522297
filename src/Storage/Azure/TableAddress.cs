using System.Text;

namespace DicomServerless.Storage.Azure;

/// <summary>The URLs of a table and its rows.</summary>
internal sealed class TableAddress(Uri endpoint, string table)
{
    private readonly string root = endpoint.AbsoluteUri.TrimEnd('/');

    public string Tables => $"{root}/Tables";
    public string Batch => $"{root}/$batch";
    public string Rows => $"{root}/{table}";

    // A quote in a key is doubled for OData, then everything but letters, digits and -._~ is escaped as UTF-8 for the URL.
    public string Row(string partitionKey, string rowKey) => $"{Rows}(PartitionKey='{Escape(partitionKey)}',RowKey='{Escape(rowKey)}')";

    public string Query(TableQuery query, string? continuation)
    {
        var url = new StringBuilder(Rows).Append("()");
        var separator = '?';
        void Add(string name, string value)
        {
            url.Append(separator).Append(name).Append('=').Append(value);
            separator = '&';
        }
        var filter = TableFilter.Of(query);
        if (filter.Length > 0) Add("$filter", Uri.EscapeDataString(filter));
        if (query.Select is { } select) Add("$select", Select(select));
        if (query.PageSize is { } size) Add("$top", size.ToString(System.Globalization.CultureInfo.InvariantCulture));
        if (continuation is not null)
        {
            // Made by Continuation below: already escaped.
            var parts = continuation.Split('&', 2);
            Add("NextPartitionKey", parts[0]);
            if (parts.Length > 1) Add("NextRowKey", parts[1]);
        }
        return url.ToString();
    }

    public static string Continuation(string nextPartitionKey, string? nextRowKey) =>
        nextRowKey is null ? Uri.EscapeDataString(nextPartitionKey) : $"{Uri.EscapeDataString(nextPartitionKey)}&{Uri.EscapeDataString(nextRowKey)}";

    // Keys come only when asked for.
    public static string Select(IReadOnlyList<string> columns) =>
        string.Join("%2C", columns.Select(Uri.EscapeDataString).Prepend("RowKey").Prepend("PartitionKey").Distinct());

    public (string Method, string Url) Of(TableWrite write) => write.Kind switch
    {
        TableWriteKind.Insert => ("POST", Rows),
        TableWriteKind.Replace or TableWriteKind.Upsert => ("PUT", Row(write.Row.PartitionKey, write.Row.RowKey)),
        TableWriteKind.Merge => ("PATCH", Row(write.Row.PartitionKey, write.Row.RowKey)),
        TableWriteKind.Delete => ("DELETE", Row(write.Row.PartitionKey, write.Row.RowKey)),
        _ => throw new ArgumentOutOfRangeException(nameof(write)),
    };

    private static string Escape(string key) => Uri.EscapeDataString(key.Replace("'", "''", StringComparison.Ordinal));
}
