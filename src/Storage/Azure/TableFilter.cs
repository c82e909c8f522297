using System.Globalization;
using System.Text;

namespace DicomServerless.Storage.Azure;

/// <summary>Writes a query as an OData $filter. Every value goes through <see cref="Literal"/>: a quote in a patient's name ends nothing.</summary>
internal static class TableFilter
{
    /// <summary>The filter, not yet escaped for a URL; empty for all rows.</summary>
    public static string Of(TableQuery query)
    {
        var filter = new StringBuilder();
        void And(string column, string comparison, object? value)
        {
            if (value is null) return;
            if (filter.Length > 0) filter.Append(" and ");
            filter.Append(column).Append(' ').Append(comparison).Append(' ').Append(Literal(value));
        }
        And("PartitionKey", "eq", query.PartitionKey);
        And("PartitionKey", "ge", query.PartitionKeyFrom);
        And("PartitionKey", "lt", query.PartitionKeyBefore);
        And("RowKey", "ge", query.RowKeyFrom);
        And("RowKey", "lt", query.RowKeyBefore);
        foreach (var condition in query.Columns) And(condition.Column, Comparison(condition.Operator), condition.Value);
        return filter.ToString();
    }

    /// <summary>A value as the table service's OData literal.</summary>
    public static string Literal(object value) => value switch
    {
        string text => $"'{text.Replace("'", "''", StringComparison.Ordinal)}'",
        int number => number.ToString(CultureInfo.InvariantCulture),
        long number => number.ToString(CultureInfo.InvariantCulture) + "L",
        bool flag => flag ? "true" : "false",
        double number when double.IsFinite(number) => Double(number),
        DateTimeOffset time => $"datetime'{time.UtcDateTime.ToString("yyyy-MM-ddTHH:mm:ss.fffffffZ", CultureInfo.InvariantCulture)}'",
        Guid id => $"guid'{id:D}'",
        byte[] bytes => $"X'{Convert.ToHexString(bytes)}'",
        _ => throw new ArgumentException($"A column cannot be compared with this {value.GetType().Name}.", nameof(value)),
    };

    // Without a point or an exponent it would be an Int32.
    private static string Double(double number)
    {
        var text = number.ToString("R", CultureInfo.InvariantCulture);
        return text.AsSpan().IndexOfAny('.', 'E') < 0 ? text + ".0" : text;
    }

    private static string Comparison(ColumnOperator op) => op switch
    {
        ColumnOperator.Equal => "eq",
        ColumnOperator.NotEqual => "ne",
        ColumnOperator.Less => "lt",
        ColumnOperator.LessOrEqual => "le",
        ColumnOperator.Greater => "gt",
        ColumnOperator.GreaterOrEqual => "ge",
        _ => throw new ArgumentOutOfRangeException(nameof(op)),
    };
}
