using System.Runtime.CompilerServices;
using System.Text;
using Azure.Data.Tables;

namespace DicomServerless.Storage.Azure;

/// <summary>Writes a query as an OData $filter. The client writes every value: a quote in a patient's name ends nothing.</summary>
internal static class TableFilter
{
    /// <summary>The filter; null for all rows.</summary>
    public static string? Of(TableQuery query)
    {
        var format = new StringBuilder();
        var values = new List<object>();
        void And(string column, string comparison, object? value)
        {
            if (value is null) return;
            format.Append(values.Count == 0 ? "" : " and ").Append(column).Append(' ').Append(comparison).Append(" {").Append(values.Count).Append('}');
            values.Add(value);
        }
        And("PartitionKey", "eq", query.PartitionKey);
        And("PartitionKey", "ge", query.PartitionKeyFrom);
        And("PartitionKey", "lt", query.PartitionKeyBefore);
        And("RowKey", "ge", query.RowKeyFrom);
        And("RowKey", "lt", query.RowKeyBefore);
        foreach (var condition in query.Columns) And(condition.Column, Comparison(condition.Operator), condition.Value);
        return values.Count == 0 ? null : TableClient.CreateQueryFilter(FormattableStringFactory.Create(format.ToString(), [.. values]));
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
